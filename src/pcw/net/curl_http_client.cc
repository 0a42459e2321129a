#include "pcw/net/curl_http_client.h"

#include <algorithm>
#include <charconv>
#include <mutex>
#include <optional>

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include "pcw/base/assert.h"
#include "pcw/net/url.h"

namespace pcw::net {
namespace {

// One exchange as libcurl's callbacks see it.
struct Exchange {
  const HttpLimits* limits = nullptr;
  HttpResponse response;
  std::size_t header_bytes = 0;
  bool has_body = true;  ///< false for HEAD: its Content-Length is of what it does not send
  bool is_too_large = false;
  bool has_all_headers = false;  ///< their block has ended: more of them are trailers
  AddressRule addresses = AddressRule::kAny;
  bool is_refused = false;  ///< an address was
};

// Before the connection is made: whatever name led to the address, it is judged itself.
curl_socket_t OnOpen(void* context, curlsocktype /*purpose*/, curl_sockaddr* address) {
  auto& exchange = *static_cast<Exchange*>(context);
  if (!IsAllowed(exchange.addresses, address->addr)) {
    exchange.is_refused = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::size_t bytes = size * count;
  if (exchange.response.body.size() + bytes > exchange.limits->max_body_bytes) {
    exchange.is_too_large = true;
    return 0;
  }
  exchange.response.body.append(data, bytes);
  return bytes;
}

bool IsSameName(std::string_view name, std::string_view other) {
  return name.size() == other.size() && curl_strnequal(name.data(), other.data(), name.size()) != 0;
}

std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::size_t bytes = size * count;
  exchange.header_bytes += bytes;
  if (exchange.header_bytes > exchange.limits->max_header_bytes) {
    exchange.is_too_large = true;
    return 0;
  }
  std::string_view line(data, bytes);
  // A status line begins a new header block: what an interim answer (100 Continue) said does not
  // count.
  if (line.starts_with("HTTP/")) {
    exchange.response.headers.clear();
    exchange.has_all_headers = false;
  }
  // What follows the body is a trailer: anybody on the way may have appended it, and no header is
  // known by then to be one of those that may stand there (RFC 9110, 6.5.1).
  if (exchange.has_all_headers) return bytes;
  exchange.has_all_headers = line == "\r\n" || line == "\n";
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return bytes;
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == '\r' || value.back() == '\n' || value.back() == ' '))
    value.remove_suffix(1);
  const std::string_view name = line.substr(0, colon);
  if (exchange.has_body && IsSameName(name, "content-length")) {
    // Room for the body at once: grown piece by piece, a string ends up twice its size.
    std::size_t announced = 0;
    std::from_chars(value.data(), value.data() + value.size(), announced);
    exchange.response.body.reserve(std::min(announced, exchange.limits->max_body_bytes));
  }
  exchange.response.headers.emplace_back(std::string(name), std::string(value));
  return bytes;
}

// A line break would begin another header, or the body: what came in as a value would be sent as
// something else. Values may be secrets, so only their name is told.
Status CheckHeaders(const Headers& headers) {
  constexpr std::string_view kEndsALine("\r\n\0", 3);
  for (const auto& [name, value] : headers) {
    if (name.empty() || name.find_first_of(kEndsALine) != std::string::npos ||
        name.find(':') != std::string::npos)
      return Error(ErrorCode::kConfig,
                   "a header's name is empty or holds a colon or line break; "
                   "nothing was sent");
    if (value.find_first_of(kEndsALine) != std::string::npos) {
      return Error(ErrorCode::kConfig,
                   fmt::format("the value of the header {} holds a line break or NUL; nothing was "
                               "sent; correct where it comes from",
                               name));
    }
  }
  return Ok{};
}

bool HasHeader(const Headers& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const auto& header) { return IsSameName(header.first, name); });
}

// Each form resets what the one before left in the handle.
void SetMethod(CURL* handle, const HttpRequest& request) {
  const std::string_view body = request.payload();
  if (request.method == "HEAD") {
    curl_easy_setopt(handle, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, nullptr);
    return;
  }
  if (body.empty() && request.method != "POST" && request.method != "PUT") {
    curl_easy_setopt(handle, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST,
                     request.method == "GET" ? nullptr : request.method.c_str());
    return;
  }
  curl_easy_setopt(handle, CURLOPT_POST, 1L);
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST,
                   request.method == "POST" ? nullptr : request.method.c_str());
  // Not copied: libcurl reads from where it lies.
  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body.empty() ? "" : body.data());
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
}

struct SlistDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

Error Unavailable(NetStep step, std::string message) {
  return Error(ErrorCode::kUnavailable, std::move(message)).At(step);
}

Error TlsError(const std::string& host, const char* detail, bool is_permanent) {
  Error error =
      Unavailable(NetStep::kTls, fmt::format("TLS with {} failed: {}; check the certificate, "
                                             "AWS_CA_BUNDLE and whether a proxy intercepts TLS",
                                             host, detail));
  if (is_permanent) error.As(ErrorMark::kPermanent);
  return error;
}

Error ErrorOf(CURLcode code, const Exchange& exchange, const Url& url, const char* detail) {
  const std::string& host = url.authority;
  if (exchange.is_too_large)
    return Unavailable(
        NetStep::kTooLarge,
        fmt::format("the answer of {} is larger than allowed; it was not read to its end", host));
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return Unavailable(
          NetStep::kDns,
          fmt::format("cannot resolve {}: {}; check DNS and the endpoint's name", host, detail));
    case CURLE_COULDNT_CONNECT:
      return Unavailable(NetStep::kConnect,
                         fmt::format("cannot connect to {}: {}; connection refused or no route: "
                                     "check the port, security group, NAT or VPC endpoint",
                                     host, detail));
    case CURLE_OPERATION_TIMEDOUT:
      return Error(ErrorCode::kTimeout, fmt::format("{} did not answer in time: {}", host, detail))
          .At(NetStep::kTimeout);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
      return TlsError(host, detail, true);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
      return TlsError(host, detail, false);
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
      return Unavailable(
          NetStep::kTruncated,
          fmt::format("{} closed the connection before its answer was complete", host));
    case CURLE_SEND_ERROR:
      return Unavailable(NetStep::kSend,
                         fmt::format("the connection to {} broke while sending: {}", host, detail));
    case CURLE_RECV_ERROR:
      return Unavailable(
          NetStep::kReceive,
          fmt::format("the connection to {} broke while receiving: {}", host, detail));
    default:
      return Unavailable(NetStep::kReceive,
                         fmt::format("the exchange with {} failed: {}", host, detail));
  }
}

void GlobalInit() {
  static std::once_flag once;
  std::call_once(once, [] { PCW_ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); });
}

// An exchange at a time, and the connections it keeps. A multi handle for one exchange, because
// only its wait can be woken: a stop ends an exchange at once.
struct Handle {
  CURL* easy = nullptr;
  CURLM* multi = nullptr;
};

// Runs the exchange to its end; nothing if `stop` came first, the connection is closed then.
std::optional<CURLcode> Perform(const Handle& handle, const Exchange& exchange,
                                std::stop_token stop) {
  using Clock = std::chrono::steady_clock;
  const std::stop_callback wake(stop, [&handle] { curl_multi_wakeup(handle.multi); });
  PCW_ASSERT(curl_multi_add_handle(handle.multi, handle.easy) == CURLM_OK);
  std::optional<CURLcode> result;
  int running = 1;
  const Clock::time_point silent_until = Clock::now() + exchange.limits->first_byte;
  while (running > 0 && !stop.stop_requested()) {
    PCW_ASSERT(curl_multi_perform(handle.multi, &running) == CURLM_OK);
    std::chrono::milliseconds wait(1000);
    if (exchange.header_bytes == 0) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(silent_until - Clock::now());
      if (running > 0 && left.count() <= 0) {
        result = CURLE_OPERATION_TIMEDOUT;
        break;
      }
      wait = std::min(wait, left);
    }
    // Also wakes for libcurl's own timeouts, the exchange's deadline among them.
    if (running > 0)
      curl_multi_poll(handle.multi, nullptr, 0, static_cast<int>(wait.count()), nullptr);
  }
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(handle.multi, &left)) {
    if (message->msg == CURLMSG_DONE) result = message->data.result;
  }
  curl_multi_remove_handle(handle.multi, handle.easy);
  return result;
}

}  // namespace

struct CurlHttpClient::State {
  CurlOptions options;
  std::mutex mutex;
  std::vector<Handle> free;  // guarded by mutex

  Handle Borrow() {
    {
      const std::lock_guard lock(mutex);
      if (!free.empty()) {
        const Handle handle = free.back();
        free.pop_back();
        return handle;
      }
    }
    const Handle handle{.easy = curl_easy_init(), .multi = curl_multi_init()};
    PCW_ASSERT(handle.easy != nullptr && handle.multi != nullptr);
    SetUp(handle.easy);
    return handle;
  }

  void GiveBack(const Handle& handle) {
    const std::lock_guard lock(mutex);
    free.push_back(handle);
  }

  // What never changes between exchanges; a handle keeps it together with its connections.
  void SetUp(CURL* handle) const {
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "https,http");
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(handle, CURLOPT_NETRC, CURL_NETRC_IGNORED);
    curl_easy_setopt(handle, CURLOPT_PROXY,
                     options.proxy.c_str());  // "" = none, whatever the environment says
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
    // Explicit, so that the environment's NO_PROXY counts as little as its HTTPS_PROXY.
    curl_easy_setopt(handle, CURLOPT_NOPROXY, kNeverThroughAProxy);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(handle, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    if (!options.ca_bundle.empty())
      curl_easy_setopt(handle, CURLOPT_CAINFO, options.ca_bundle.c_str());
    curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(handle, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, OnBody);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, OnHeader);
  }
};

CurlHttpClient::CurlHttpClient(CurlOptions options) : state_(std::make_unique<State>()) {
  GlobalInit();
  state_->options = std::move(options);
}

CurlHttpClient::~CurlHttpClient() {
  for (const Handle& handle : state_->free) {
    curl_easy_cleanup(handle.easy);
    curl_multi_cleanup(handle.multi);
  }
}

Result<HttpResponse> CurlHttpClient::Send(const HttpRequest& request, const HttpLimits& limits,
                                          std::stop_token stop) {
  PCW_TRY(const Url url, ParseUrl(request.url));
  const auto& plain = state_->options.plain_http_hosts;
  if (url.scheme == "http" && !IsLoopbackHost(url.host) &&
      std::find(plain.begin(), plain.end(), url.host) == plain.end()) {
    return Error(
        ErrorCode::kConfig,
        fmt::format("plain http to {} is refused; use https (http is for this machine only)",
                    url.authority));
  }
  PCW_TRY_OK(CheckHeaders(request.headers));
  Exchange exchange;
  exchange.limits = &limits;

  // An empty value takes out what libcurl would add; a given Content-Type replaces it.
  curl_slist* raw_list = curl_slist_append(nullptr, "Expect:");
  if (!HasHeader(request.headers, "content-type"))
    raw_list = curl_slist_append(raw_list, "Content-Type:");
  std::string line;
  for (const auto& [name, value] : request.headers) {
    line.assign(name).append(": ").append(value);
    raw_list = curl_slist_append(raw_list, line.c_str());
  }
  const std::unique_ptr<curl_slist, SlistDeleter> list(raw_list);

  const Handle borrowed = state_->Borrow();
  CURL* handle = borrowed.easy;
  char detail[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, list.get());
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, detail);
  exchange.has_body = request.method != "HEAD";
  SetMethod(handle, request);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits.connect.count()));
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(limits.total.count()));
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &exchange);
  exchange.addresses = state_->options.addresses;
  if (exchange.addresses != AddressRule::kAny) {
    curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, OnOpen);
    curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, &exchange);
  }

  const auto started = std::chrono::steady_clock::now();
  const std::optional<CURLcode> code = Perform(borrowed, exchange, stop);
  exchange.response.elapsed = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - started);
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, nullptr);
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, nullptr);
  state_->GiveBack(borrowed);
  if (!code) return Error(ErrorCode::kCancelled, "stopped during an HTTP exchange");
  if (*code != CURLE_OK && exchange.is_refused) {
    return Error(ErrorCode::kConfig,
                 fmt::format("{} leads to an address that may not be connected to: this machine's, "
                             "a private or a link-local one",
                             url.host))
        .At(NetStep::kRefused);
  }
  if (*code != CURLE_OK)
    return ErrorOf(*code, exchange, url, detail[0] != '\0' ? detail : curl_easy_strerror(*code));
  exchange.response.status = static_cast<int>(status);
  return std::move(exchange.response);
}

}  // namespace pcw::net
