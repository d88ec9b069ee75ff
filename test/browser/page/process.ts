/** The members that jest's packages and Node's path use. */
export const process = {
  env: {},
  platform: 'browser',
  versions: {},
  cwd: (): string => '/',
};
