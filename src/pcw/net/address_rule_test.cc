#include "pcw/net/address_rule.h"

#include <cstring>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace pcw::net {
namespace {

bool MayReach(AddressRule rule, const char* text) {
  sockaddr_storage storage{};
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (::inet_pton(AF_INET, text, &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    std::memcpy(&storage, &four, sizeof four);
  } else if (::inet_pton(AF_INET6, text, &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    std::memcpy(&storage, &six, sizeof six);
  } else {
    ADD_FAILURE() << text << " is not an address";
  }
  return IsAllowed(rule, reinterpret_cast<const sockaddr&>(storage));
}

TEST(AddressRuleTest, ThePublicNetIsOpen) {
  for (const char* address : {"8.8.8.8", "52.94.133.131", "172.15.0.1", "172.32.0.1", "100.63.0.1",
                              "2600:1f18::1", "2a01:4f8::1", "::ffff:8.8.8.8"}) {
    EXPECT_TRUE(MayReach(AddressRule::kPublic, address)) << address;
    EXPECT_TRUE(MayReach(AddressRule::kNoMetadata, address)) << address;
  }
}

TEST(AddressRuleTest, PrivateAddressesNeedTheWiderRule) {
  for (const char* address : {"10.1.2.3", "127.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1",
                              "0.0.0.0", "::1", "::", "fd12:3456::1", "::ffff:10.0.0.1",
                              "64:ff9b::a00:1", "224.0.0.1", "255.255.255.255"}) {
    EXPECT_FALSE(MayReach(AddressRule::kPublic, address)) << address;
    EXPECT_TRUE(MayReach(AddressRule::kNoMetadata, address)) << address;
  }
}

TEST(AddressRuleTest, MetadataServicesAreReachedByNeither) {
  for (const char* address : {"169.254.169.254", "169.254.170.2", "fe80::1", "fd00:ec2::254",
                              "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"}) {
    EXPECT_FALSE(MayReach(AddressRule::kPublic, address)) << address;
    EXPECT_FALSE(MayReach(AddressRule::kNoMetadata, address)) << address;
    EXPECT_TRUE(MayReach(AddressRule::kAny, address)) << address;
  }
}

}  // namespace
}  // namespace pcw::net
