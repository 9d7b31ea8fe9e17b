// The OpenAI Agents SDK, whichever model class it is given.
import assert from 'node:assert/strict';
import { Agent, run, setTracingDisabled, tool } from '@openai/agents';
import { said, weather } from '../gateway.mjs';
import { forecasts, runSuite } from './suite.mjs';

setTracingDisabled(true);

// Runs the suite. speaks is the protocol; model makes a model of a name.
export async function runAgents({ speaks, model: modelOf, ...library }, more) {
  const agentOf = ({ model, system, limit, schema, thinks }, tools = []) =>
    new Agent({
      name: 'Tester',
      model: modelOf(model),
      ...(system && { instructions: system }),
      ...(schema && { outputType: { type: 'json_schema', name: 'forecast', strict: true, schema } }),
      tools,
      modelSettings: {
        store: false,
        ...(limit && { maxTokens: limit }),
        ...(thinks && { reasoning: { effort: 'medium', summary: 'auto' } }),
      },
    });
  const inputOf = ({ text, image }) =>
    image
      ? [{ role: 'user', content: [{ type: 'input_text', text }, { type: 'input_image', image }] }]
      : [{ role: 'user', content: text }];

  await runSuite(
    {
      speaks,
      cuts: true,
      silent: () => ['stop', 'written'],
      ...library,

      ask: async (ask, stream) => {
        const result = await finished(agentOf(ask), inputOf(ask), stream);
        const output = result.finalOutput;
        return { text: typeof output === 'string' ? output : JSON.stringify(output), usage: usageOf(result) };
      },

      loop: async (ask, stream) => {
        const calls = [];
        const execute = async (input) => {
          calls.push(input);
          return forecasts[(calls.length - 1) % forecasts.length];
        };
        const forecast = tool({
          name: weather.name,
          description: weather.description,
          parameters: weather.schema,
          strict: true,
          execute,
        });
        const result = await finished(agentOf(ask, [forecast]), inputOf(ask), stream);
        return { text: result.finalOutput, calls };
      },

      remember: async (ask, stream) => {
        const agent = agentOf({ ...ask, thinks: true });
        const first = await finished(agent, inputOf(ask), stream);
        const second = await finished(agent, [...first.history, { role: 'user', content: 'Again' }], stream);
        const reasoning = first.newItems.find((item) => item.type === 'reasoning_item').rawItem;
        const [part] = reasoning.content.length > 0 ? reasoning.content : reasoning.rawContent;
        return { thought: part.text, text: second.finalOutput, usage: usageOf(first) };
      },

      failure: ({ status, message }) => ({ status, message }),
    },
    (upstream) => ({
      'one agent hands over to another': async () => {
        const second = new Agent({ name: 'Second', model: modelOf(`via-${upstream}`), modelSettings: { store: false } });
        const first = new Agent({
          name: 'First',
          model: modelOf(`${upstream}/x!tools,rounds=1`),
          handoffs: [second],
          modelSettings: { store: false },
        });
        const result = await run(first, 'Hello');
        assert.equal(result.lastAgent.name, 'Second');
        assert.equal(result.finalOutput, said('Hello'));
      },
      ...more?.(upstream),
    }),
  );
}

async function finished(agent, input, stream) {
  if (!stream) {
    return run(agent, input);
  }
  const result = await run(agent, input, { stream: true });
  await result.completed;
  if (result.error) {
    throw result.error;
  }
  return result;
}

function usageOf({ state: { usage } }) {
  const sum = (all, key) => all.reduce((total, one) => total + (one[key] ?? 0), 0);
  return {
    input: usage.inputTokens,
    output: usage.outputTokens,
    cached: sum(usage.inputTokensDetails, 'cached_tokens'),
    reasoning: sum(usage.outputTokensDetails, 'reasoning_tokens'),
  };
}
