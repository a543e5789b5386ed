import { serverTests } from './contract.ts';
import { llamaCpp } from './llama-cpp.ts';

serverTests(llamaCpp, { tools: 'printed', structured: 'held', usage: 'told', unknownModel: 'ignored', tooLong: 'refused' });
