// How many threads the native kernels compute with.
import {createRequire} from 'node:module';

const {mostThreads} = createRequire(__filename)('../../native/threads.js') as {
  readonly mostThreads: (machine: {
    environment?: Record<string, string>;
    processors?: number;
    read?: (file: string) => string;
  }) => number;
};

const threads = (
  processors: number,
  environment: Record<string, string> = {},
  files: Record<string, string> = {},
): number =>
  mostThreads({processors, environment, read: (file) => files[file] ?? ''});

describe('as many threads', () => {
  it('as processors, and 8 at most', () => {
    expect([1, 2, 8, 64].map((n) => threads(n))).toEqual([1, 2, 8, 8]);
  });

  it.each(['TF_NUM_INTRAOP_THREADS', 'OMP_NUM_THREADS'])(
    'as %s allows',
    (name) => {
      const values = ['2', '2,4', ' 3 ', '20', '0', '-1', 'many', ''];
      expect(values.map((value) => threads(6, {[name]: value}))).toEqual([
        2, 2, 3, 6, 6, 6, 6, 6,
      ]);
    },
  );

  it('as the least of both variables', () => {
    const both = {TF_NUM_INTRAOP_THREADS: '5', OMP_NUM_THREADS: '3'};
    expect(threads(8, both)).toBe(3);
  });

  it('as the quota of the cgroup pays for, or one around it', () => {
    const self = {'/proc/self/cgroup': '0::/app/web\n'};
    const of = (files: Record<string, string>): number =>
      threads(8, {}, {...self, ...files});
    const root = '/sys/fs/cgroup';
    expect(of({})).toBe(8);
    expect(of({[`${root}/app/web/cpu.max`]: 'max 100000\n'})).toBe(8);
    expect(of({[`${root}/app/web/cpu.max`]: '250000 100000\n'})).toBe(2);
    expect(of({[`${root}/app/cpu.max`]: '50000 100000\n'})).toBe(1);
    // In a container the path is that of the host.
    expect(of({[`${root}/cpu.max`]: '300000 100000\n'})).toBe(3);
  });

  it('as the quota of the first kind of cgroups pays for', () => {
    const of = (quota: string): number => {
      const folder = '/sys/fs/cgroup/cpu,cpuacct/docker';
      return threads(
        8,
        {},
        {
          '/proc/self/cgroup': '9:memory:/docker\n3:cpu,cpuacct:/docker\n',
          [`${folder}/cpu.cfs_quota_us`]: quota,
          [`${folder}/cpu.cfs_period_us`]: '100000\n',
        },
      );
    };
    expect(['-1\n', '400000\n', '20000\n'].map(of)).toEqual([8, 4, 1]);
  });
});
