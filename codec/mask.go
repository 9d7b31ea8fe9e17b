package codec

import "bytes"

// keyPrefixes begin API keys.
var keyPrefixes = [...]string{"sk-", "sk_", "gsk_", "xai-", "AIza"}

// namePrefixes begin the names of organisations, accounts, projects, users and keys, but ordinary words too
// ("user-provided").
var namePrefixes = [...]string{"org-", "org_", "acct-", "acct_", "proj-", "proj_", "user-", "key-", "key_"}

// minSecret is how many characters must follow a prefix to be hidden.
const minSecret = 6

// appendMasked appends text, a message or a whole JSON body of a provider, with what is no client's business cut down
// to its prefix: "org-***". UUIDs become "***", because Anthropic names organisations by them. Request ids (req_…)
// stay: they are how the provider finds the call.
func appendMasked(dst, text []byte) []byte {
	for len(text) > 0 {
		n, keep := nextWord(text)
		dst = append(dst, text[:keep]...)
		if keep < n {
			dst = append(dst, "***"...)
		}
		text = text[n:]
	}
	return dst
}

// nextWord returns the length of what text begins with, a word or anything else, and how many bytes of that may be
// shown.
func nextWord(text []byte) (n, keep int) {
	switch n = wordLength(text); {
	case n > 0:
		return n, shown(text[:n])
	case text[0] == '\\' && len(text) >= 6 && text[1] == 'u':
		return 6, 6 // the digits of an escape are no part of the word behind it
	case text[0] == '\\' && len(text) >= 2:
		return 2, 2
	}
	return 1, 1
}

// shown returns how many bytes of a word may be shown.
func shown(word []byte) int {
	if isUUID(word) {
		return 0
	}
	for _, prefix := range keyPrefixes {
		if rest, ok := bytes.CutPrefix(word, []byte(prefix)); ok && len(rest) >= minSecret {
			return len(prefix)
		}
	}
	for _, prefix := range namePrefixes {
		if rest, ok := bytes.CutPrefix(word, []byte(prefix)); ok && len(rest) >= minSecret && isRandom(rest) {
			return len(prefix)
		}
	}
	return len(word)
}

// isRandom reports whether there is anything in text that English words don't have.
func isRandom(text []byte) bool {
	for _, c := range text {
		if c-'0' <= 9 || c-'A' <= 'Z'-'A' || c == '*' {
			return true
		}
	}
	return false
}

// isUUID reports whether word is 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12.
func isUUID(word []byte) bool {
	if len(word) != 36 {
		return false
	}
	for i, c := range word {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if c-'0' > 9 && c|0x20-'a' > 'f'-'a' {
				return false
			}
		}
	}
	return true
}

// wordLength returns how many bytes at the beginning of text can be part of a name. Stars are, because providers mask
// the middle of a key themselves.
func wordLength(text []byte) int {
	for i, c := range text {
		if c-'0' > 9 && (c|0x20)-'a' > 'z'-'a' && c != '-' && c != '_' && c != '*' {
			return i
		}
	}
	return len(text)
}
