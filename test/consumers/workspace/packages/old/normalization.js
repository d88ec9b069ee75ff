export * from 'tfjs-normalization';
