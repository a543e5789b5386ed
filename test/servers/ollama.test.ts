import { serverTests } from './contract.ts';
import { ollama } from './ollama.ts';

serverTests(ollama, { tools: 'native', structured: 'held', usage: 'told', unknownModel: 'refused', tooLong: 'cut' });
