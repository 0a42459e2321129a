// Signed calls through aws::Caller against a bare loop of libcurl and our signer: same server, same
// machine, alternating rounds. usage: pcw_caller_bench http://127.0.0.1:PORT [calls per round]
// [rounds]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <curl/curl.h>
#include <fmt/format.h>

#include "pcw/aws/caller.h"
#include "pcw/aws/credentials/static_credentials.h"
#include "pcw/aws/partner_central_selling.h"
#include "pcw/aws/sigv4.h"
#include "pcw/net/curl_http_client.h"

namespace {

using pcw::aws::partner_central_selling::kListOpportunities;
using pcw::aws::partner_central_selling::kService;
constexpr const char* kKeyId = "AKIAIOSFODNN7EXAMPLE";
constexpr const char* kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr std::string_view kBody = R"({"Catalog":"AWS","MaxResults":1})";

std::size_t Discard(char* /*data*/, std::size_t size, std::size_t count, void* total) {
  *static_cast<std::size_t*>(total) += size * count;
  return size * count;
}

double Seconds(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s http://127.0.0.1:PORT [calls] [rounds]\n", argv[0]);
    return 64;
  }
  const std::string endpoint = argv[1];
  const int calls = argc > 2 ? std::atoi(argv[2]) : 5000;
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 5;
  const std::string host = endpoint.substr(endpoint.find("//") + 2);

  pcw::SystemClock clock;
  pcw::SystemSleeper sleeper;
  pcw::SystemRng rng;
  pcw::aws::OpenQuotaGate open;
  pcw::net::CurlHttpClient http;
  pcw::aws::StaticCredentialsProvider credentials(
      pcw::aws::Credentials{.access_key_id = kKeyId,
                            .secret_access_key = pcw::Secret(kSecret),
                            .session_token = {},
                            .expires_at = std::nullopt,
                            .account_id = "",
                            .source = "bench"});
  pcw::aws::CallerOptions options;
  options.endpoint = endpoint;
  options.user_agent = "pcw-bench";
  pcw::aws::Caller caller(kService, {http, credentials, open, clock, sleeper, rng}, options);

  CURL* curl = curl_easy_init();
  const pcw::aws::Credentials keys = **credentials.Get({});
  pcw::aws::Signer signer("us-east-1", std::string(kService.signing_name));
  int failures = 0;
  const auto bare = [&] {
    for (int i = 0; i < calls; ++i) {
      const pcw::net::Headers headers =
          signer.Sign({.query = {},
                       .headers = {{"host", host},
                                   {"content-type", "application/x-amz-json-1.0"},
                                   {"x-amz-target", "AWSPartnerCentralSelling.ListOpportunities"}},
                       .body = kBody},
                      keys, clock.Now());
      curl_slist* list = nullptr;
      for (const auto& [name, value] : headers)
        list = curl_slist_append(list, fmt::format("{}: {}", name, value).c_str());
      std::size_t bytes = 0;
      curl_easy_setopt(curl, CURLOPT_URL, endpoint.c_str());
      curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
      curl_easy_setopt(curl, CURLOPT_POSTFIELDS, kBody.data());
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(kBody.size()));
      curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, Discard);
      curl_easy_setopt(curl, CURLOPT_WRITEDATA, &bytes);
      long status = 0;
      if (curl_easy_perform(curl) != CURLE_OK) ++failures;
      curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
      if (status != 200) ++failures;
      curl_slist_free_all(list);
    }
  };
  const auto ours = [&] {
    for (int i = 0; i < calls; ++i) {
      if (!caller.Call(kListOpportunities, kBody, {})) ++failures;
    }
  };

  std::vector<double> ratios;
  bare();  // warms connections and the server
  for (int round = 0; round < rounds; ++round) {
    const double bare_seconds = Seconds(bare);
    const double our_seconds = Seconds(ours);
    ratios.push_back(bare_seconds / our_seconds);
    std::printf("round %d: bare signed libcurl %.0f calls/s, pcw caller %.0f calls/s, ratio %.3f\n",
                round + 1, calls / bare_seconds, calls / our_seconds, ratios.back());
  }
  std::sort(ratios.begin(), ratios.end());
  const double median = ratios[ratios.size() / 2];
  std::printf(
      "signed calls, pcw : bare signed libcurl, median of %d rounds: %.3f (goal >= 0.8)%s\n",
      rounds, median, failures > 0 ? "  FAILURES" : "");
  curl_easy_cleanup(curl);
  return failures == 0 && median >= 0.8 ? 0 : 1;
}
