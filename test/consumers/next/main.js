// Prints the page's results.
const {readFileSync} = require('node:fs');

const html = readFileSync('.next/server/app/index.html', 'utf8');
const [, text] = /<pre>([^<]*)<\/pre>/.exec(html);
console.log(Buffer.from(text, 'base64').toString());
