// Checks the metrics of three epochs of the main job: every run has its
// figures, and its saved model predicts the same in another process.
import {readFileSync} from 'node:fs';

const {backend, runs} = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const problems = [];
const expect = (holds, problem) => {
  if (!holds) problems.push(problem);
};

expect(
  runs.map(({norm}) => norm).join() === 'none,batch,layer,none-relu',
  'the four runs are not all there',
);
for (const run of runs) {
  expect(run.reloadedEqual === true, `${run.norm}: the reloaded model differs`);
  expect(run.valAccuracy.length === 3, `${run.norm}: not three epochs`);
  expect(run.secondsPerEpoch > 0, `${run.norm}: no time was measured`);
}
const accuracyOf = (norm) =>
  runs.find((run) => run.norm === norm)?.valAccuracy.at(-1) ?? 0;
// After three epochs: batch normalization has learnt, the plain network has
// not.
expect(accuracyOf('batch') > 0.8, 'batch normalization has not learnt');
expect(accuracyOf('none') < 0.5, 'the plain sigmoid network should stall');

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
console.log(`the main job on ${backend} shows what it should`);
