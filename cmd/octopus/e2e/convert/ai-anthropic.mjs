// The Vercel AI SDK with @ai-sdk/anthropic.
import { createAnthropic } from '@ai-sdk/anthropic';
import { baseURL } from '../gateway.mjs';
import { runAI } from './ai.mjs';

const anthropic = createAnthropic({ baseURL, apiKey: process.env.OCTOPUS_KEY });

await runAI({
  speaks: 'messages',
  model: (name) => anthropic(name),
  thinking: { anthropic: { thinking: { type: 'adaptive' } } },
});
