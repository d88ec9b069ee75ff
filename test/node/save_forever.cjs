// When told to start, saves two models alternately to one folder until it is
// killed. Prints the milliseconds of the first save before it continues.
const {once} = require('node:events');
const {dirname, join} = require('node:path');

// Not fileSystem itself: smaller shards give more moments to be killed.
const {FileSystemHandler} = require(
  join(dirname(require.resolve('tfjs-normalization/node')), 'file_system.js'),
);

async function main(a, b, target) {
  const settings = {shardBytes: 60_000};
  const to = new FileSystemHandler(target, settings);
  const models = [
    await new FileSystemHandler(a).load(),
    await new FileSystemHandler(b).load(),
  ];
  await once(process.stdin, 'data');
  const start = performance.now();
  await to.save(models[0]);
  console.log(performance.now() - start);
  for (let i = 1; ; i++) await to.save(models[i % 2]);
}

main(...process.argv.slice(2));
