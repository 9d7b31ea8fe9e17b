package codec

import "bytes"

// keyPrefixes begin API keys and tokens: OpenAI and most others, Groq, xAI, Google, Perplexity, Hugging Face, Nvidia, Fireworks,
// Together, Cerebras, AWS, and the tokens of OAuth.
var keyPrefixes = [...]string{
	"sk-", "sk_", "gsk_", "xai-", "AIza", "pplx-", "hf_", "nvapi-", "fw_", "tgp_", "csk-", "AKIA", "ASIA", "ya29", "eyJ",
}

// namePrefixes begin the names of organisations, accounts, projects, users and keys, but ordinary words too
// ("user-provided").
var namePrefixes = [...]string{
	"org-", "org_", "acct-", "acct_", "proj-", "proj_", "user-", "user_", "key-", "key_", "team-", "team_", "ws-",
}

// resourceDomains are behind the name that a customer of Azure gave to its resource: it stands for the account.
var resourceDomains = [...]string{
	".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com", ".models.ai.azure.com",
}

// resourcePaths are in front of the names that customers of Google and Azure give to projects and groups.
var resourcePaths = [...]string{"projects/", "resourceGroups/"}

// accountDigits is how many digits an account of AWS has.
const accountDigits = 12

// minSecret is how many characters must follow a prefix to be hidden.
const minSecret = 6

// appendMasked appends text, a message or a whole JSON body of a provider, with what is no client's business cut down
// to its prefix: "org-***". UUIDs become "***", because Anthropic names organisations by them, and so do the names that
// customers give to what they have at a cloud. Request ids (req_…) stay: they are how the provider finds the call.
func appendMasked(dst, text []byte) []byte {
	start := len(dst)
	for len(text) > 0 {
		n, keep := nextWord(text)
		if keep == n && namesResource(dst[start:], text[:n], text[n:]) {
			keep = 0
		}
		dst = append(dst, text[:keep]...)
		if keep < n {
			dst = append(dst, "***"...)
		}
		text = text[n:]
	}
	return dst
}

// AppendWithoutKeys appends text with what looks like an API key or a token cut down to its prefix: "sk-***".
func AppendWithoutKeys(dst, text []byte) []byte {
	for len(text) > 0 {
		n := max(wordLength(text), 1)
		keep := shownOfKey(text[:n])
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
	if keep := shownOfKey(word); keep < len(word) {
		return keep
	}
	for _, prefix := range namePrefixes {
		if rest, ok := bytes.CutPrefix(word, []byte(prefix)); ok && len(rest) >= minSecret && isRandom(rest) {
			return len(prefix)
		}
	}
	return len(word)
}

// shownOfKey returns how many bytes of a word may be shown: the prefix of a key, all of any other word.
func shownOfKey(word []byte) int {
	for _, prefix := range keyPrefixes {
		if rest, ok := bytes.CutPrefix(word, []byte(prefix)); ok && len(rest) >= minSecret {
			return len(prefix)
		}
	}
	return len(word)
}

// namesResource reports whether a word stands where the name of a cloud's customer does: the account in an ARN of AWS, the
// resource in a host of Azure, the project in a path of Google.
func namesResource(before, word, after []byte) bool {
	if wordLength(word) == 0 {
		return false
	}
	if len(word) == accountDigits && bytes.HasSuffix(before, []byte(":")) && bytes.HasPrefix(after, []byte(":")) {
		return !bytes.ContainsFunc(word, func(r rune) bool { return r < '0' || r > '9' })
	}
	for _, domain := range resourceDomains {
		if bytes.HasPrefix(after, []byte(domain)) {
			return true
		}
	}
	for _, path := range resourcePaths {
		if bytes.HasSuffix(before, []byte(path)) {
			return true
		}
	}
	return false
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
