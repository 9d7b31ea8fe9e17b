// Package llm is the neutral form that the three wire protocols meet in.
//
// It is plain data without behaviour towards the network: which protocols there are, what tokens a call used, and what
// went wrong in words that every protocol can say. The codec packages translate between it and the wire; gateway,
// ledger and statistics speak of calls only in these words.
//
// Start reading at Protocol, Usage and Error.
package llm
