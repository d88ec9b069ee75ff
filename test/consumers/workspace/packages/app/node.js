export * from 'tfjs-normalization/node';
