export default {ssr: {noExternal: ['tfjs-normalization']}};
