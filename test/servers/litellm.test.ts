import { serverTests } from './contract.ts';
import { liteLlm } from './litellm.ts';

serverTests(liteLlm, { tools: 'printed', structured: 'held', usage: 'told', unknownModel: 'refused', tooLong: 'refused' });
