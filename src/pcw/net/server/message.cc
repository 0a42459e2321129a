#include "pcw/net/server/message.h"

#include <algorithm>

namespace pcw::net::server {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool SameName(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return Lower(x) == Lower(y); });
}

bool IsClean(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && byte != '\t') || byte == 0x7f;
  });
}

}  // namespace

std::optional<std::string_view> FindHeader(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (SameName(key, name)) return value;
  }
  return std::nullopt;
}

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 421:
      return "Misdirected Request";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "";
  }
}

namespace {

// Status line and headers, but for what says how the body is framed.
std::string RenderHead(const Response& response, std::string_view date) {
  std::string out;
  out.reserve(256 + response.body.size());
  out += "HTTP/1.1 ";
  out += std::to_string(response.status);
  out += ' ';
  out += ReasonPhrase(response.status);
  out += "\r\n";
  for (const auto& [name, value] : response.headers) {
    if (!IsClean(name) || !IsClean(value)) continue;
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
  }
  if (!date.empty() && !FindHeader(response.headers, "Date")) {
    out += "Date: ";
    out += date;
    out += "\r\n";
  }
  return out;
}

}  // namespace

std::string RenderStreamHead(const Response& head, KeepAlive keep_alive, std::string_view date,
                             Framing framing) {
  std::string out = RenderHead(head, date);
  if (framing == Framing::kChunked) out += "Transfer-Encoding: chunked\r\n";
  out += keep_alive == KeepAlive::kYes ? "\r\n" : "Connection: close\r\n\r\n";
  return out;
}

std::string RenderStreamPiece(std::string_view bytes, Framing framing) {
  if (framing == Framing::kUntilClose || bytes.empty()) return std::string(bytes);
  std::string size;
  for (std::size_t rest = bytes.size(); rest > 0; rest /= 16)
    size.insert(size.begin(), "0123456789abcdef"[rest % 16]);
  return size + "\r\n" + std::string(bytes) + "\r\n";
}

std::string_view StreamEnd(Framing framing) {
  return framing == Framing::kChunked ? "0\r\n\r\n" : "";
}

std::string RenderResponse(const Response& response, KeepAlive keep_alive, std::string_view date,
                           WithBody with_body) {
  std::string out = RenderHead(response, date);
  out += "Content-Length: ";
  out += std::to_string(response.body.size());
  out += keep_alive == KeepAlive::kYes ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n";
  if (with_body == WithBody::kYes) out += response.body;
  return out;
}

}  // namespace pcw::net::server
