// Runs a program for each order in which the two versions may be loaded. npm puts
// app's version where both packages find tfjs-normalization, and so this package
// uses that one in old too.
import {execFile} from 'node:child_process';

const ORDERS = {
  alone: ['app'],
  appFirst: ['app', 'old/tf'],
  oldFirst: ['old/tf', 'app'],
  tfFirst: ['old/tf', 'old/normalization'],
  tfLast: ['old/normalization', 'old/tf'],
};

const WARNING =
  'tfjs-normalization: the program has loaded another copy of TensorFlow.js ' +
  'than the one this package uses.';

const told = await Promise.all(Object.values(ORDERS).map(tell));
const names = Object.keys(ORDERS);
const verdicts = names.map((name, i) => [name, told[i].verdict]);
console.log(
  JSON.stringify({...told[0].outcome, ...Object.fromEntries(verdicts)}),
);

async function tell(order) {
  const {stdout, stderr} = await run(['program.js', ...order]);
  const {trained, refused} = JSON.parse(stdout.trim().split('\n').pop());
  const times = stderr.split(WARNING).length - 1;
  const verdict = [
    ['silent', 'warns once'][times] ?? `warns ${times} times`,
    ...(trained ? [isRight(trained) ? 'trains' : 'trains wrongly'] : []),
    ...(refused ? [refused] : []),
  ];
  return {outcome: trained, verdict: verdict.join(', ')};
}

function isRight({unmoved, isBatchNorm, sameWeights, gap}) {
  return unmoved === 0 && isBatchNorm && sameWeights && gap === 0;
}

function run(args) {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      if (error === null) resolve({stdout, stderr});
      else reject(new Error(`${args.join(' ')}\n${stderr}`));
    });
  });
}
