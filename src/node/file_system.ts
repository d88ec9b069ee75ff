export function fileSystem(): void {}
