#include "pcw/aws/xml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/result_matchers.h"
#include "pcw/base/xml_text.h"

namespace pcw::aws {
namespace {

using ::testing::HasSubstr;

TEST(ParseXmlTest, ReadsWhatS3Says) {
  const auto root = ParseXml(
      "\n \n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n"
      "  <Name>b</Name>\n"
      "  <Contents><Key>a&amp;b&#228;</Key><Size>1</Size></Contents>\n"
      "  <Contents><Key><![CDATA[<c>]]></Key></Contents>\n"
      "</ListBucketResult>");

  ASSERT_THAT(root, Succeeds());
  EXPECT_EQ(root->name, "ListBucketResult");
  EXPECT_EQ(root->text, "") << "layout is not text";
  EXPECT_EQ(root->TextOf("Name"), "b");
  EXPECT_EQ(root->TextOf("NextContinuationToken"), "");
  EXPECT_EQ(root->children[1].TextOf("Key"), "a&b\xc3\xa4");
  EXPECT_EQ(root->children[2].TextOf("Key"), "<c>");
}

TEST(ParseXmlTest, RefusesWhatIsNotOneWholeDocument) {
  for (const char* xml : {"", "{}", "<a>", "<a></b>", "<a/><b/>", "<a>&unknown;</a>",
                          "<html><br></html>", "<a>\xff</a>", "<a b=1/>"}) {
    EXPECT_THAT(ParseXml(xml), FailsWith(ErrorCode::kUnavailable)) << xml;
  }
}

TEST(ParseXmlTest, RefusesDocumentTypesSoThatNothingExpands) {
  const auto bomb =
      ParseXml("<!DOCTYPE a [<!ENTITY x \"xxxxxxxxxx\"><!ENTITY y \"&x;&x;&x;&x;\">]><a>&y;</a>");

  ASSERT_THAT(bomb, FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(bomb.error().message(), HasSubstr("document type"));
  EXPECT_THAT(ParseXml("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>"),
              FailsWith(ErrorCode::kUnavailable));
}

TEST(ParseXmlTest, HasBounds) {
  EXPECT_THAT(ParseXml("<a><a><a/></a></a>", {.max_depth = 2}), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(ParseXml("<a><a/><a/></a>", {.max_elements = 2}), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(ParseXml("<a>12345</a>", {.max_bytes = 8}), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(ParseXml("<a><a><a/></a></a>", {.max_depth = 3, .max_elements = 3}), Succeeds());
}

TEST(XmlTextTest, FindsTheFirstOfThatNameAtAnyDepth) {
  constexpr const char* kXml = "<R><A><B>1</B></A><B>2</B><C><D/></C></R>";

  EXPECT_EQ(XmlText(kXml, "B"), "1");
  EXPECT_EQ(XmlText(kXml, "D"), "");
  EXPECT_EQ(XmlText(kXml, "C"), std::nullopt) << "holds elements";
  EXPECT_EQ(XmlText(kXml, "E"), std::nullopt);
  EXPECT_EQ(XmlText("<R><B>1</B>", "B"), std::nullopt) << "cut";
}

TEST(XmlEscapeTest, ComesBackAsItWas) {
  constexpr const char* kText = "\"a\" & <b>";

  EXPECT_EQ(XmlText("<t>" + XmlEscape(kText) + "</t>", "t"), kText);
}

}  // namespace
}  // namespace pcw::aws
