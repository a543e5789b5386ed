/**
 * `npm run docs:protocol`: writes docs/protocol from the schemas of bus/. Imports TypeScript, so it needs the checkout's Node.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { protocolFiles } from '../bus/protocol/protocol-document.ts';

const folder = new URL('../docs/protocol/', import.meta.url);
rmSync(new URL('schemas', folder), { recursive: true, force: true });
mkdirSync(new URL('schemas', folder), { recursive: true });
for (const [name, text] of Object.entries(protocolFiles())) writeFileSync(new URL(name, folder), text);
