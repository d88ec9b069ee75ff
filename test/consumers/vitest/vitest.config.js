export default {
  test: {server: {deps: {inline: ['tfjs-normalization']}}, testTimeout: 60_000},
};
