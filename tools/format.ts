/** Formats 0.8639 as 86.4%. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}

/** Formats 95.3 as 1:35 min, 9.2 as 9 s. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const rest = String(whole % 60).padStart(2, '0');
  return `${Math.floor(whole / 60)}:${rest} min`;
}

/** Formats 1 and 'epoch' as 1 epoch, 2 and 'epoch' as 2 epochs. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

/** Breaks a text between words into lines of at most `width` characters. */
export function wrap(text: string, width: number): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1] ?? '';
    const longer = last === '' ? word : `${last} ${word}`;
    if (longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.join('\n');
}
