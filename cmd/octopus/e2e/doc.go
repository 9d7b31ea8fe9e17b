// Package e2e tests the real binary with the clients that people use: the npm packages openai and @anthropic-ai/sdk, the
// Vercel AI SDK, LangChain, the OpenAI Agents SDK, and raw sockets where a client misbehaves. It has no code of its own,
// only tests.
//
// TestMain builds octopus. A test starts scripted providers (gateway/gatewaytest) in its own process, one behind each of
// the channels north, south and west, and the binary in front of them; what clients must see is checked at the client,
// what providers must see in their log. Everything stays on the loopback interface.
//
// The scripts in convert let every client library talk to providers of all three protocols, which refuse what the real ones
// would (gatewaytest.Options.Validate): a wrong conversion is a 400 there, and a failed case. What a library must be able to
// do is written once, in convert/suite.mjs.
//
// The rows of faults.md, which say what Octopus survives, are played by TestProviderFaults (section A: providers that
// misbehave), TestFailoverScenarios, TestOverload, TestIdleStreams and TestSoak, beside tests of misbehaving clients. Each row
// prints a line when it is over, "F31 pass …" or "F31 fail …"; "make faults" plays the heavy forms and makes a page of the
// lines, bench/RELIABILITY.md. A row of section A is a function over a stage: one octopus in which each of the six ways to
// ask has channels of its own.
//
// The scripts (*.mjs) are run by node. Each prints a line of JSON per case, which becomes a subtest. They need
// node_modules, which `make test` fills with `npm ci`; without them the tests fail and say so.
//
// Start reading at startGateway in gateway_test.go, then sdk_test.go and convert_test.go; for faults at fault_test.go.
package e2e
