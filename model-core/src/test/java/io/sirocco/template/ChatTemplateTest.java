package io.sirocco.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.template.TemplateException.Kind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Rendering, against what Jinja2 3.1.6 gives in the environment that transformers sets up. */
class ChatTemplateTest {
  private static final Path CASES = Path.of("src/test/resources/template/cases.json");
  private static final Path WRITER = Path.of("../sample-data/ticket-writer");

  @TestFactory
  List<DynamicTest> everyRecordedCase() throws IOException {
    return Chats.list(Chats.MAPPER.readTree(CASES.toFile())).stream()
        .map(one -> DynamicTest.dynamicTest(one.path("name").asText(), () -> check(one)))
        .toList();
  }

  private static void check(JsonNode one) {
    ChatTemplate template = Chats.template(one.path("template").asText());
    ChatRequest request =
        new ChatRequest(
            Chats.list(one.path("messages")),
            Optional.ofNullable(one.get("tools")),
            PromptEnd.LAST_MESSAGE);
    if (one.has("text")) {
      assertThat(template.render(request).text()).isEqualTo(one.path("text").asText());
      return;
    }
    TemplateException error =
        catchThrowableOfType(TemplateException.class, () -> template.render(request));
    assertThat(error).isNotNull();
    assertThat(error.kind()).isEqualTo(one.has("raised") ? Kind.RAISED : Kind.VALUE);
    if (one.has("raised")) {
      assertThat(error.problem()).isEqualTo(one.path("raised").asText());
    }
  }

  @Test
  void theTicketWritersOwnTemplate() {
    ChatTemplate template = ChatTemplate.open(WRITER).orElseThrow();
    JsonNode user = Chats.message("user", "Write.");
    JsonNode answer = Chats.message("assistant", "Done.");
    assertThat(template.render(ChatRequest.of(List.of(user, answer, user))).text())
        .isEqualTo("<s>[INST] Write. [/INST] Done.</s>[INST] Write. [/INST]");
    assertThatThrownBy(() -> template.render(ChatRequest.of(List.of(user, user))))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining("Conversation roles must alternate user/assistant/user/assistant/...")
        .hasMessageContaining("line 1, column ");
  }

  @Test
  void anErrorNamesLineAndColumn() {
    ChatTemplate template = Chats.template("a\n{{ 'b' }}\n  {{ bos_token + zz }}");
    TemplateException error =
        catchThrowableOfType(TemplateException.class, () -> template.render(Chats.user("x")));
    assertThat(error).hasMessage("test.jinja: line 3, column 16: 'zz' is undefined");
    assertThat(error.line()).isEqualTo(3);
    assertThat(error.column()).isEqualTo(16);
    assertThat(error.kind()).isEqualTo(Kind.VALUE);
  }

  @Test
  void theGenerationPromptIsAskedForByTheRequest() {
    ChatTemplate template = Chats.template("{{ add_generation_prompt }}");
    List<JsonNode> messages = List.of(Chats.message("user", "x"));
    assertThat(template.render(ChatRequest.of(messages)).text()).isEqualTo("True");
    assertThat(template.render(Chats.request(messages)).text()).isEqualTo("False");
  }

  @Test
  void aContinuedPromptEndsWithinItsLastMessage() {
    String plain = "{% for m in messages %}[{{ m.content }}]{% endfor %}";
    String trimming = "{% for m in messages %}[{{ m.content|trim }}]{% endfor %}";
    assertThat(continued(plain, "[\"a\", \"b \"]")).isEqualTo("[a][b ");
    assertThat(continued(trimming, "[\"a\", \" b \"]")).isEqualTo("[a][b");
    assertThat(continued(plain, "[\"b\", \"b\"]")).isEqualTo("[b][b");
    assertThat(continued(plain, "[\"\"]")).isEqualTo("[");
  }

  @Test
  void thePartToContinueIsTheLastTextOfAListOfParts() {
    String parts = "{% for p in messages[0].content %}<{{ p.text }}>{% endfor %}";
    assertThat(continued(parts, "[[{\"text\": \"a\"}, {\"text\": \"b\"}, {\"image\": 1}]]"))
        .isEqualTo("<a><b");
  }

  @Test
  void whatCannotBeContinuedIsTheRequestsFault() {
    for (String template : List.of("{{ messages[0].content[0] }}", "content", "no text")) {
      assertThatThrownBy(() -> continued(template, "[\"abc\"]"))
          .isInstanceOfSatisfying(
              TemplateException.class, e -> assertThat(e.kind()).isEqualTo(Kind.REQUEST));
    }
    for (String contents : List.of("[null]", "[5]", "[[]]", "[[{\"image\": 1}]]", "[{}]")) {
      assertThatThrownBy(() -> continued("{{ messages[0].content }}", contents))
          .isInstanceOfSatisfying(
              TemplateException.class, e -> assertThat(e.kind()).isEqualTo(Kind.REQUEST));
    }
  }

  @Test
  void aRequestIsCheckedBeforeItsTemplateRuns() {
    ChatTemplate template = Chats.template("x");
    assertThatThrownBy(() -> template.render(ChatRequest.of(List.of())))
        .isInstanceOf(TemplateException.class)
        .hasMessage("test.jinja: the conversation is empty, expected at least one message");
    List<JsonNode> messages = List.of(Chats.message("user", "x"));
    for (String tools : List.of("{}", "[1]", "\"x\"")) {
      ChatRequest request =
          new ChatRequest(messages, Optional.of(Chats.json(tools)), PromptEnd.LAST_MESSAGE);
      assertThatThrownBy(() -> template.render(request))
          .isInstanceOf(TemplateException.class)
          .hasMessage("test.jinja: the tools are not an array of objects");
    }
  }

  private static String continued(String template, String contents) {
    List<JsonNode> messages = new ArrayList<>();
    for (JsonNode content : Chats.json(contents)) {
      ObjectNode message = Chats.MAPPER.createObjectNode().put("role", "user");
      messages.add(message.set("content", content));
    }
    return Chats.render(
        template, new ChatRequest(messages, Optional.empty(), PromptEnd.CONTINUE_FINAL_MESSAGE));
  }
}
