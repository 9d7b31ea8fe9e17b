package admin

import (
	"encoding/json"

	"github.com/valyala/fasthttp"
)

// errorBody is the form of every error.
type errorBody struct {
	Error errorDetail `json:"error"`
}

// errorDetail says what went wrong. Field is the JSON path of the field at fault, or empty.
type errorDetail struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field"`
}

// refuse answers with an error that no field of the request is to blame for.
func refuse(ctx *fasthttp.RequestCtx, status int, code, message string) {
	body, err := json.Marshal(errorBody{errorDetail{Code: code, Message: message}})
	if err != nil {
		panic("BUG: an error of three strings is no JSON")
	}
	ctx.SetStatusCode(status)
	ctx.SetContentType("application/json")
	ctx.SetBody(body)
}
