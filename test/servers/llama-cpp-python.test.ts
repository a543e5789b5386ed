import { serverTests } from './contract.ts';
import { llamaCppPython } from './llama-cpp-python.ts';

serverTests(llamaCppPython, {
  tools: 'in words',
  structured: 'refused',
  usage: 'not told',
  unknownModel: 'ignored',
  tooLong: 'broken off',
});
