// Package tokens says how many tokens a text has, where no provider can be asked.
//
// It counts with o200k_base, the vocabulary of OpenAI's models since GPT-4o, which is part of the binary and is loaded
// when the first text is counted: 25 ms, once, and 12 MB of memory. Nobody on the way of an ordinary request may call it, unless
// its channel has asked for estimates.
// Other vocabularies differ by a tenth or two in English, so the numbers are estimates for models of other providers.
//
// A count costs 0.1 to 0.2 ms per KiB, 0.5 where white space runs on and on, and of a text beyond 256 KiB only samples are
// counted: no text costs much more than 0.1 s.
//
// Start reading at Count.
package tokens
