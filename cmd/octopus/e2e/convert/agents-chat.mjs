// The OpenAI Agents SDK over Chat Completions.
import { OpenAIChatCompletionsModel } from '@openai/agents';
import { openai } from '../gateway.mjs';
import { runAgents } from './agents.mjs';

await runAgents({
  speaks: 'chat',
  model: (name) => new OpenAIChatCompletionsModel(openai, name),
});
