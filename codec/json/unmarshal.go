package json

import (
	"fmt"
	"reflect"

	"github.com/bytedance/sonic"
)

// api fills structs by exact member names: wire types spell every name out, and "Model" is not the member model.
var api = sonic.Config{CaseSensitive: true, CopyString: true}.Froze()

// borrowing is api with strings that point into the text.
var borrowing = sonic.Config{CaseSensitive: true}.Froze()

// Unmarshal fills the struct that v points to from text. Nothing in v refers to text afterwards. Unknown members are
// ignored; a member of another type than its field is reported, the others are filled all the same.
func Unmarshal(text []byte, v any) error { return unmarshal(api, text, v) }

// UnmarshalBorrowed is Unmarshal without copies: strings and raw messages in v point into text. The promise is the
// caller's: text does not change, nor go back into a pool, while v is in use.
func UnmarshalBorrowed(text []byte, v any) error {
	return unmarshal(borrowing, text, v)
}

// unmarshal puts an error of our own in place of sonic's, which quotes the text: prompts don't belong into logs, and a
// borrowed text may have changed when the error is printed.
func unmarshal(with sonic.API, text []byte, v any) error {
	err := with.UnmarshalFromString(Borrow(text), v)
	if err == nil {
		return nil
	}
	if !Valid(text) {
		return fmt.Errorf("json: %s", FindFault(text))
	}
	return fmt.Errorf("json: a member does not fit %T", v)
}

// Pretouch compiles the decoders and encoders of the types of the given values, which the first use would otherwise
// pay with 9 to 39 ms each. Call it once, before the process reports that it is ready.
func Pretouch(values ...any) error {
	types := make([]reflect.Type, len(values))
	for i, v := range values {
		types[i] = reflect.TypeOf(v)
	}
	if err := sonic.PretouchMany(types); err != nil {
		return fmt.Errorf("json: compile wire types: %w", err)
	}
	return nil
}
