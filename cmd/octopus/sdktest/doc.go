// Package sdktest drives octopus with the official Go SDKs of OpenAI and Anthropic. It is a module of its own because
// compiling them takes minutes: `make test-sdk` runs it, `make test` does not.
//
// TestMain builds the binary, or takes the one that OCTOPUS_BINARY names, and runs `octopus demo`, which brings the
// scripted provider along. Models are called as channel/model, with what the provider is to do behind a "!"; the package
// gateway/gatewaytest of the main module explains those directives. Nothing of that module is imported: what is tested is
// what a user of the SDKs meets.
//
// Each protocol has its file: whole answers, streams, tools and errors, with every text compared word by word. The demo's
// channels speak one protocol each; convert_test.go calls those of the others. The package e2e beside this one does the
// same with the npm SDKs, and much more, in seconds.
//
// Start reading at TestMain, then chat_test.go.
package sdktest
