package loader

import (
	"bytes"
	"encoding/json"
)

// appendJSONText appends a text as a JSON string.
func appendJSONText[T ~string | ~[]byte](b []byte, text T) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return append(b, marshal(string(text))...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

// marshal is encoding/json without escaping for HTML.
func marshal(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // a type that cannot be encoded
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}
