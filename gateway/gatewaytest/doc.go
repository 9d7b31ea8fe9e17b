// Package gatewaytest is the scripted provider: a server that speaks the three protocols as the real providers do and
// misbehaves on demand. Tests, the bench and `octopus demo` use it. It never imports testing, asks no model, and reads
// JSON with its own scanner, so that a fault of the gateway's codec can't hide in both sides of a test.
//
// It answers POST /v1/chat/completions, /v1/responses, /v1/responses/input_tokens, /v1/messages,
// /v1/messages/count_tokens, GET and DELETE /v1/responses/{id}, and GET /v1/models, /v1/models/{id}. Any credential will
// do except none and one that starts with "bad" (401), any model name exists. The text says that no model was asked and
// repeats the last user message; where the request wants JSON it is JSON that fits the schema. A choice that forces a
// call is obeyed. Input tokens are 8 plus a quarter of the bytes of text in messages and system prompts, rounded down;
// an output token is a word with the space before it, a CJK character, 8 bytes of a tool's arguments, or a search.
// Without tokens= or size= the text obeys the request's output limit and its stop sequences.
//
// Signatures, redacted and encrypted reasoning, search results and the ids of Responses' items are the provider's own:
// with Options.Validate it refuses those of others. Responses are stored unless the request says otherwise or
// Options.NoLog is set.
//
// # Directives
//
// What happens to a request is written behind a "!" in its model name, "gpt-5.4!tokens=60,cut=40"; in the same way
// behind a "!" in its credential; in the header X-Script; or for every request with SetScript. They add up; where they
// disagree the model name wins, then the header, the credential, SetScript. An unknown directive is a 400 that names it.
// D is a duration such as 1.5s, N a number, and a token anything streamed: text, reasoning or arguments.
//
// The answer:
//
//	tokens=N         text of N tokens
//	size=BYTES       text of so many bytes
//	bigevent=BYTES   one more token of so many bytes
//	reasoning[=N]    reasoning of N tokens (8) before the text
//	tools            one call of the request's first function instead of text; with tokens= or size= after it
//	calls=N          N parallel calls
//	rounds=N         calls, forced ones too, only until N rounds of results are there, then a text that repeats the last
//	interleave       the arguments of parallel calls by turns (Chat, Responses)
//	redacted         reasoning that only the provider can read, behind the other (Messages, Responses)
//	remember         the text counts the pieces of reasoning that the client sent back
//	search           a search of the web before the text (Messages, Responses)
//	cite             the text cites a page
//	pause[=N]        the turn is paused at its search, N times (1), each to be continued by the client (Messages)
//	refusal          the model refuses
//	filter           a filter ends the answer
//	cached=N         so many of the input tokens came from a cache
//	cachewrite=N     so many of them went into one
//	every=D          time between tokens
//	burst            all events of a stream in one write, each its own chunk
//	obfuscation      padding in every text event, as OpenAI sends it
//	usage=MODE       of a stream: none, twice, late (300 ms after the rest), absurd, first (in the first event) or
//	                 content (in the last chunk with text; Chat only)
//
// The wire:
//
//	split=N          N bytes per write; of a stream, N bytes per chunk
//	crlf             events with CR LF line ends
//	cr               events with CR line ends
//	bom              a byte order mark before the first event
//	comments         a comment before each event
//	nul              the same with a NUL inside
//	multiline        events of two data lines
//	nospace          no space behind "data:"
//	ping=D           pings (Messages) or comments after that much silence
//	gzip             Content-Encoding: gzip, asked for or not
//	close            Connection: close
//	closeidle        closes the connection after the answer without saying so
//	closenext        closes the connection when the next request arrives, unanswered
//
// Faults:
//
//	times=N          the faults below strike only the first N requests with the same model name and directives
//	mishap=N         N percent of requests, at random, suffer one of them: an error, silence, nonsense, a broken stream;
//	                 Exchange.Mishap says which
//	delay=D          silence before the headers
//	prelude=D        silence between the headers and the first event of a stream
//	first=D          silence between the role chunk, message_start or response.in_progress and the rest
//	status=N         an error with this status, in the protocol's words
//	code=TEXT        its code, such as context_length_exceeded, content_policy_violation, insufficient_quota
//	retry_after=S    Retry-After, in seconds
//	reset            TCP reset before the headers
//	silent           never answers
//	redirect=URL     302
//	html             a page of HTML, with status 200 unless status= says otherwise
//	empty            200 with an empty body
//	error200         200 with an error object as its body
//	nochoices        an answer without choices, output or content
//	truncated        half the JSON, or half the events, in correct framing
//	gzipbomb         1 GiB of white space in gzip
//	endlessheaders   1 GiB of headers
//	endlessbody      1 GiB of one JSON string, or of one event
//	cut=N            closes the connection after N tokens; a whole answer after half its body
//	inside           the cut comes in the middle of an event and of its chunk
//	rst              the cut is a TCP reset
//	stall=N          silence after N tokens, or after half the body, with the socket open
//	garbage=N        an event that is not JSON after N tokens
//	errorevent=N     an error event after N tokens; status= and code= say which
//	noend            no [DONE], response.completed or message_stop
//	hang             the body is never ended, whatever was sent
//
// Start reading at Start, then reply.go.
package gatewaytest
