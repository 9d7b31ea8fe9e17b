// LangChain, whichever chat model it is given.
import assert from 'node:assert/strict';
import { AIMessage, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import { weather } from '../gateway.mjs';
import { forecastsFor, runSuite, scripted } from './suite.mjs';

const tool = { type: 'function', function: { name: weather.name, description: weather.description, parameters: weather.schema } };

// Runs the suite. speaks is the protocol; model makes a chat model from a name and what else it is to be made with: limit, stop,
// schema and thinks; format binds a schema to it; stopOf reads why an answer ended.
export async function runLangChain({ speaks, model: modelOf, image: imageOf, format, stopOf, thoughtOf, ...library }) {
  const messagesOf = ({ text, system, image }) => [
    ...(system ? [new SystemMessage(system)] : []),
    new HumanMessage(image ? { content: [{ type: 'text', text }, imageOf(image)] } : text),
  ];

  await runSuite(
    {
      speaks,
      stops: speaks !== 'responses',
      cuts: true,
      ...library,

      ask: async (ask, stream) => {
        const model = ask.schema ? format(modelOf(ask), ask.schema) : modelOf(ask);
        const answer = await answerOf(model, messagesOf(ask), stream);
        return { text: answer.text, stop: stopOf(answer), usage: usageOf(answer) };
      },

      loop: async (ask, stream) => {
        const model = modelOf(ask).bindTools([tool]);
        const messages = messagesOf(ask);
        const calls = [];
        for (;;) {
          const answer = await answerOf(model, messages, stream);
          if (answer.tool_calls.length === 0) {
            return { text: answer.text, calls };
          }
          calls.push(...answer.tool_calls.map((call) => call.args));
          const contents = forecastsFor(answer.tool_calls);
          const results = answer.tool_calls.map(({ id }, i) => new ToolMessage({ tool_call_id: id, content: contents[i] }));
          messages.push(answer, ...results);
        }
      },

      remember: async (ask, stream) => {
        const model = modelOf({ ...ask, thinks: true });
        const messages = messagesOf(ask);
        const first = await answerOf(model, messages, stream);
        const second = await answerOf(model, [...messages, first, new HumanMessage('Again')], stream);
        return { thought: thoughtOf(first), text: second.text, usage: usageOf(first) };
      },

      // What LangChain knows as an overflow of the context it wraps.
      failure: (error) => ({ status: (error.cause ?? error).status, message: error.message }),
    },
    (upstream) => ({
      'a prompt that is too long is known as such': async () => {
        const ask = { model: scripted(upstream, 'status=400,code=context_length_exceeded'), text: 'Hello' };
        await assert.rejects(modelOf(ask).invoke(messagesOf(ask)), { name: 'ContextOverflowError' });
      },
    }),
  );
}

async function answerOf(model, messages, stream) {
  if (!stream) {
    return model.invoke(messages);
  }
  let all;
  for await (const chunk of await model.stream(messages)) {
    all = all ? all.concat(chunk) : chunk;
  }
  assert.ok(all, 'the stream was empty');
  return all;
}

function usageOf({ usage_metadata: usage }) {
  return {
    input: usage.input_tokens,
    output: usage.output_tokens,
    cached: usage.input_token_details?.cache_read,
    written: usage.input_token_details?.cache_creation,
    reasoning: usage.output_token_details?.reasoning,
  };
}
