/** What jest's packages and Node's path ask of it. */
export const process = {
  env: {},
  platform: 'browser',
  versions: {},
  cwd: (): string => '/',
};
