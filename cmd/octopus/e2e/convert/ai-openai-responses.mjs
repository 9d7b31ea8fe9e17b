// The Vercel AI SDK with @ai-sdk/openai, Responses: by default it stores answers and refers to their items.
import { createOpenAI } from '@ai-sdk/openai';
import { baseURL } from '../gateway.mjs';
import { runAI } from './ai.mjs';

const openai = createOpenAI({ baseURL, apiKey: process.env.OCTOPUS_KEY });

await runAI({
  speaks: 'responses',
  model: (name) => openai.responses(name),
  thinking: { openai: { forceReasoning: true, reasoningEffort: 'medium', reasoningSummary: 'auto' } },
});
