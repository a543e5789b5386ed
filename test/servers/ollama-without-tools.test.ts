import { serverTests } from './contract.ts';
import { ollamaWithoutTools } from './ollama.ts';

serverTests(ollamaWithoutTools, {
  tools: 'refused',
  structured: 'held',
  usage: 'told',
  unknownModel: 'refused',
  tooLong: 'cut',
});
