package responses

import (
	"strings"
	"time"
)

// maxRetryAfter bounds what is believed of a provider's words.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads how long to wait out of the message of a rate limit: "Please try again in 1.5s", "in 20ms", "in 1m30s",
// "in 35 seconds". Codex does the same. Zero means that the message doesn't say.
func retryAfter(message string) time.Duration {
	_, text, found := strings.Cut(strings.ToLower(message), "try again in ")
	if !found {
		return 0
	}
	end := 0
	for end < len(text) && (text[end]-'0' <= 9 || text[end] == '.' || text[end] == 'h' || text[end] == 'm' || text[end] == 's') {
		end++
	}
	word := strings.TrimRight(text[:end], ".")
	if strings.HasPrefix(text[end:], " second") {
		word += "s"
	}
	wait, err := time.ParseDuration(word)
	if err != nil || wait < 0 || wait > maxRetryAfter {
		return 0
	}
	return wait
}
