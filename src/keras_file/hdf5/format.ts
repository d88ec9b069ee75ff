/** The first bytes of an HDF5 file. */
export const SIGNATURE = '\x89HDF\r\n\x1a\n';

/** The address of what is nowhere, 64 set bits, as a number. */
export const UNDEFINED = 2 ** 64;

/** Types of messages in an object's header. */
export const MESSAGE = {
  dataspace: 0x01,
  linkInfo: 0x02,
  datatype: 0x03,
  fillValue: 0x05,
  link: 0x06,
  externalFiles: 0x07,
  layout: 0x08,
  filters: 0x0b,
  attribute: 0x0c,
  continuation: 0x10,
  symbolTable: 0x11,
  attributeInfo: 0x15,
} as const;
