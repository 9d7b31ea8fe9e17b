// The Vercel AI SDK with @ai-sdk/openai, Chat Completions.
import { createOpenAI } from '@ai-sdk/openai';
import { baseURL } from '../gateway.mjs';
import { runAI } from './ai.mjs';

const openai = createOpenAI({ baseURL, apiKey: process.env.OCTOPUS_KEY });

await runAI({
  speaks: 'chat',
  model: (name) => openai.chat(name),
  thinking: { openai: { forceReasoning: true, reasoningEffort: 'medium' } },
  // The package reads no reasoning from Chat.
  thinks: false,
});
