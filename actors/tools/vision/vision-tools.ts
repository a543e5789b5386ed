/** The tools for pictures and documents. */
import type { Tool } from '../tool.ts';
import { lookAt } from './look-at.ts';
import { readDocument } from './read-document.ts';
import { readForm } from './read-form.ts';
import { readImageText } from './read-image-text.ts';
import type { Reader } from './reader.ts';

export const visionTools = (reader: Reader): Tool[] => [
  lookAt(reader),
  readImageText(reader),
  readForm(reader),
  readDocument(reader),
];
