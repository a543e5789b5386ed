import { serverTests } from './contract.ts';
import { llamaCppPython } from './llama-cpp-python.ts';

serverTests(llamaCppPython, {
  tools: 'printed',
  structured: 'refused',
  usage: 'not told',
  unknownModel: 'ignored',
  tooLong: 'broken off',
});
