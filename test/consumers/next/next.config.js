module.exports = {
  serverExternalPackages: ['@tensorflow/tfjs', 'tfjs-normalization'],
  eslint: {ignoreDuringBuilds: true},
};
