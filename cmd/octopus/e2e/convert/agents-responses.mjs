// The OpenAI Agents SDK over Responses.
import assert from 'node:assert/strict';
import { Agent, OpenAIResponsesModel, run } from '@openai/agents';
import { openai, said } from '../gateway.mjs';
import { runAgents } from './agents.mjs';
import { thinker } from './suite.mjs';

const model = (name) => new OpenAIResponsesModel(openai, name);

const limited = /unsuccessful terminal state "response.incomplete"/;

await runAgents({ speaks: 'responses', model, thinks: true, limited }, (upstream) => ({
  'a conversation that is kept at the gateway': async () => {
    const agent = new Agent({ name: 'Tester', model: model(thinker(upstream, 'reasoning=3,remember')) });
    const first = await run(agent, 'Hello');
    const second = await run(agent, 'Again', { previousResponseId: first.lastResponseId });
    assert.equal(second.finalOutput, `${said('Again')}. I remember 1 thoughts.`);
  },
}));
