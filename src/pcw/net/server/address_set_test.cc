#include "pcw/net/server/address_set.h"

#include <gmock/gmock.h>

#include "fakes/result_matchers.h"

namespace pcw::net::server {
namespace {

Request From(std::string peer, std::vector<std::string> forwarded) {
  Request request{.method = "GET", .target = "/", .headers = {}, .body = "", .peer = peer};
  for (std::string& value : forwarded)
    request.headers.emplace_back("x-forwarded-for", std::move(value));
  return request;
}

TEST(AddressSetTest, NetworksHoldTheirAddresses) {
  const auto set = AddressSet::Parse({"10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "172.16.0.0/12"});
  ASSERT_THAT(set, Succeeds());
  for (const char* address : {"10.0.0.0", "10.255.255.255", "192.0.2.7", "::ffff:10.1.2.3",
                              "2001:db8:ffff::1", "172.31.255.255"})
    EXPECT_TRUE(set->Contains(address)) << address;
  for (const char* address : {"11.0.0.0", "9.255.255.255", "192.0.2.8", "2001:db9::", "172.32.0.0",
                              "::1", "", "10", "10.0.0.1 ", "localhost"})
    EXPECT_FALSE(set->Contains(address)) << address;
  EXPECT_TRUE(AddressSet::Parse({"0.0.0.0/0"})->Contains("8.8.8.8"));
  EXPECT_FALSE(AddressSet::Parse({"0.0.0.0/0"})->Contains("2001:db8::1"));
  EXPECT_TRUE(AddressSet::Parse({"::/0"})->Contains("8.8.8.8"));
}

TEST(AddressSetTest, WhatIsNoNetworkIsRefused) {
  for (const char* text : {"", "/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x",
                           "10.0.0.1/8", "10.0.0/8", "2001:db8::/129", "2001:db8::1/64", "proxy"})
    EXPECT_THAT(AddressSet::Parse({text}), FailsWith(ErrorCode::kConfig)) << text;
}

TEST(ClientOfTest, APeerThatIsNoProxySaysNothingAboutItsClient) {
  const AddressSet trusted = *AddressSet::Parse({"10.0.0.0/8"});
  EXPECT_EQ(ClientOf(From("192.0.2.1", {"198.51.100.1"}), trusted), "192.0.2.1");
  EXPECT_EQ(ClientOf(From("10.0.0.1", {}), trusted), "10.0.0.1");
  EXPECT_EQ(ClientOf(From("10.0.0.1", {"198.51.100.1"}), AddressSet()), "10.0.0.1");
}

TEST(ClientOfTest, TheRightmostAddressOutsideTheProxiesCounts) {
  const AddressSet trusted = *AddressSet::Parse({"10.0.0.0/8"});
  const auto client = [&](std::vector<std::string> forwarded) {
    return ClientOf(From("10.0.0.1", std::move(forwarded)), trusted);
  };
  EXPECT_EQ(client({"198.51.100.1"}), "198.51.100.1");
  EXPECT_EQ(client({"1.1.1.1, 198.51.100.1"}), "198.51.100.1") << "the left one is anybody's word";
  EXPECT_EQ(client({"1.1.1.1, 198.51.100.1, 10.9.9.9"}), "198.51.100.1");
  EXPECT_EQ(client({"1.1.1.1", "198.51.100.1"}), "198.51.100.1");
  EXPECT_EQ(client({"10.2.2.2, 10.9.9.9"}), "10.2.2.2") << "all of them are proxies";
  EXPECT_EQ(client({"198.51.100.1:4711"}), "198.51.100.1");
  EXPECT_EQ(client({"[2001:db8::1]:4711"}), "2001:db8::1");
  EXPECT_EQ(client({"2001:db8::1"}), "2001:db8::1");
  for (const char* bad : {"", "unknown", "_hidden", "198.51.100.1, unknown", ",", "198.51.100.1,"})
    EXPECT_EQ(client({bad}), "10.0.0.1") << bad;
}

}  // namespace
}  // namespace pcw::net::server
