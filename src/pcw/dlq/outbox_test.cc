#include "pcw/dlq/outbox.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"

namespace pcw::dlq {
namespace {

constexpr const char* kTenant = "00000000-0000-0000-0000-000000000001";
constexpr const char* kId = "019aa000-0000-7000-8000-000000000001";

Json Envelope() {
  return {{"kind", "pcw.dead_letter"}, {"version", 1}, {"tenant", kTenant}, {"letter_id", kId}};
}

/// Why the message is none of ours; empty if it is one.
std::string ReasonOf(const std::string& body) {
  const ReadEnvelope read = ReadMessage(body, kTenant);
  return read.foreign ? read.foreign->reason : "";
}
std::string ReasonWith(const char* member, Json value) {
  Json envelope = Envelope();
  envelope[member] = std::move(value);
  return ReasonOf(envelope.dump());
}
std::string ReasonWithout(const char* member) {
  Json envelope = Envelope();
  envelope.erase(member);
  return ReasonOf(envelope.dump());
}

TEST(ReadMessageTest, OurOwnEnvelopeNamesItsDeadLetter) {
  const ReadEnvelope read = ReadMessage(Envelope().dump(), kTenant);
  EXPECT_FALSE(read.foreign);
  EXPECT_EQ(read.letter_id, kId);
}

TEST(ReadMessageTest, WhatIsNotJsonIsForeign) {
  EXPECT_EQ(ReasonOf("hello"), "not_json");
  EXPECT_EQ(ReasonOf(""), "not_json");
}

TEST(ReadMessageTest, JsonOfAnotherShapeIsForeign) {
  EXPECT_EQ(ReasonOf("[1]"), "not_an_envelope");
  EXPECT_EQ(ReasonOf("\"pcw.dead_letter\""), "not_an_envelope");
  EXPECT_EQ(ReasonWithout("kind"), "not_an_envelope");
}

TEST(ReadMessageTest, AnEnvelopeOfAnotherKindIsForeign) {
  EXPECT_EQ(ReasonWith("kind", "pcw.alarm"), "not_an_envelope");
}

TEST(ReadMessageTest, AnEnvelopeWithoutAVersionIsForeign) {
  EXPECT_EQ(ReasonWithout("version"), "no_version");
  EXPECT_EQ(ReasonWith("version", "1"), "no_version");
  EXPECT_EQ(ReasonWith("version", 0), "no_version");
}

TEST(ReadMessageTest, AnEnvelopeOfANewerPcwIsLeftToIt) {
  EXPECT_EQ(ReasonWith("version", 2), "future_version");
}

TEST(ReadMessageTest, AnEnvelopeOfAnotherTenantIsForeign) {
  EXPECT_EQ(ReasonWith("tenant", "00000000-0000-0000-0000-000000000002"), "other_tenant");
  EXPECT_EQ(ReasonWithout("tenant"), "other_tenant");
}

TEST(ReadMessageTest, AnEnvelopeThatNamesNoDeadLetterIsForeign) {
  EXPECT_EQ(ReasonWithout("letter_id"), "no_letter");
  EXPECT_EQ(ReasonWith("letter_id", 7), "no_letter");
  EXPECT_EQ(ReasonWith("letter_id", "not-a-uuid"), "no_letter");
}

TEST(ReadMessageTest, MembersThatWeDoNotKnowAreNoMatter) {
  EXPECT_EQ(ReasonWith("added_later", true), "");
}

}  // namespace
}  // namespace pcw::dlq
