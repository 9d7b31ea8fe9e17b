// @langchain/anthropic, which brings an older @anthropic-ai/sdk.
import { ChatAnthropic } from '@langchain/anthropic';
import { runLangChain } from './langchain.mjs';

await runLangChain({
  speaks: 'messages',
  model: ({ model, limit, stop, thinks }) =>
    new ChatAnthropic({
      model,
      maxTokens: limit ?? 4096,
      stopSequences: stop,
      maxRetries: 0,
      thinking: thinks ? { type: 'adaptive' } : undefined,
      anthropicApiUrl: process.env.OCTOPUS_URL,
      apiKey: process.env.OCTOPUS_KEY,
    }),
  image: (url) => ({ type: 'image_url', image_url: { url } }),
  format: (model, schema) => model.withConfig({ outputConfig: { format: { type: 'json_schema', schema } } }),
  stopOf: ({ response_metadata: { stop_reason: reason }, additional_kwargs: { stop_reason: streamed } }) =>
    ({ end_turn: 'end', stop_sequence: 'end', max_tokens: 'limit', refusal: 'refused' })[reason ?? streamed],
  thinks: true,
  // In a stream it takes the input from message_start only, and adds up the output of all events.
  silent: (stream) => (stream ? ['input', 'output', 'cached', 'written', 'reasoning'] : ['reasoning']),
  thoughtOf: ({ content }) => content.find((block) => block.type === 'thinking')?.thinking,
});
