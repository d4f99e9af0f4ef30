package io.sirocco.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sirocco.checkpoint.ModelException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Where a model folder keeps its template and tokens. */
class TemplateFilesTest {
  private static final String CONFIG = "tokenizer_config.json";
  private static final String TOKENS = "special_tokens_map.json";

  @TempDir Path folder;

  @Test
  void aFolderWithoutATemplateHasNone() throws IOException {
    assertThat(ChatTemplate.open(folder)).isEmpty();
    write(CONFIG, "{\"bos_token\": \"<s>\", \"chat_template\": null}");
    assertThat(ChatTemplate.open(folder)).isEmpty();
  }

  @Test
  void theTemplateAndTokensOfTheConfig() throws IOException {
    write(
        CONFIG,
        """
        {"bos_token": "<s>", "eos_token": {"content": "</s>", "lstrip": false}, "unk_token": null,
         "chat_template": "{{ bos_token }}x{{ eos_token }}{{ unk_token is defined }}"}
        """);
    assertThat(rendered()).isEqualTo("<s>x</s>False");
  }

  @Test
  void theTemplateInAFileOfItsOwnWins() throws IOException {
    write(CONFIG, "{\"bos_token\": \"<s>\", \"chat_template\": \"from the config\"}");
    write("chat_template.jinja", "{{ bos_token }}from the file\n");
    assertThat(rendered()).isEqualTo("<s>from the file");
  }

  @Test
  void tokensThatTheConfigLacksAreThoseOfTheMap() throws IOException {
    write("chat_template.jinja", "{{ bos_token }}{{ eos_token }}");
    write(CONFIG, "{\"bos_token\": \"<s>\"}");
    write(TOKENS, "{\"bos_token\": \"<other>\", \"eos_token\": {\"content\": \"</s>\"}}");
    assertThat(rendered()).isEqualTo("<s></s>");
  }

  @Test
  void aTokenThatTheTemplateUsesAndNoFileGivesIsAnError() throws IOException {
    write("chat_template.jinja", "{{ bos_token }}x");
    assertThatThrownBy(() -> ChatTemplate.open(folder))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("uses [bos_token], which neither " + CONFIG + " nor " + TOKENS);
  }

  @Test
  void requestsWithToolsTakeTheTemplateForTools() throws IOException {
    String entry = "{\"name\": \"%s\", \"template\": \"%s\"}";
    write(
        CONFIG,
        "{\"chat_template\": ["
            + entry.formatted("default", "plain")
            + ","
            + entry.formatted("tool_use", "tools")
            + ","
            + entry.formatted("rag", "{% unknown %}")
            + "]}");
    assertThat(rendered()).isEqualTo("plain");
    assertThat(renderedWithTools()).isEqualTo("tools");
    write("chat_template.jinja", "file");
    assertThat(renderedWithTools()).isEqualTo("file");
    Files.createDirectory(folder.resolve("additional_chat_templates"));
    write("additional_chat_templates/tool_use.jinja", "tools file");
    assertThat(renderedWithTools()).isEqualTo("tools file");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      textBlock =
          """
          {"chat_template": 5}                                  ~ neither a string nor a list
          {"chat_template": [{"name": "default"}]}              ~ neither a string nor a list
          {"chat_template": {"default": "x"}}                   ~ neither a string nor a list
          {"chat_template": [{"name": "rag", "template": "x"}]} ~ has no template named "default"
          {"chat_template": "{% x %}"}                          ~ tokenizer_config.json: chat template, line 1, column 4
          {"chat_template": "x", "bos_token": 5}                ~ bos_token is neither a string
          {"chat_template": "x", "bos_token": {}}               ~ bos_token is neither a string
          {"chat_template": "x"                                 ~ is not valid JSON
          {"chat_template": "x", "chat_template": "y"}          ~ is not valid JSON
          []                                                    ~ is not a JSON object
          """)
  void aBrokenConfigIsRefused(String config, String problem) throws IOException {
    write(CONFIG, config);
    assertThatThrownBy(() -> ChatTemplate.open(folder))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(problem)
        .hasMessageContaining(CONFIG);
  }

  @Test
  void filesThatAreEmptyHugeOrNotUtf8AreRefused() throws IOException {
    write(CONFIG, "");
    assertThatThrownBy(() -> ChatTemplate.open(folder)).isInstanceOf(ModelException.class);
    write(CONFIG, "{}");
    Files.write(folder.resolve("chat_template.jinja"), new byte[] {'a', (byte) 0xff});
    assertThatThrownBy(() -> ChatTemplate.open(folder)).hasMessageContaining("is not UTF-8");
    Files.write(folder.resolve("chat_template.jinja"), new byte[(16 << 20) + 1]);
    assertThatThrownBy(() -> ChatTemplate.open(folder))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("holds more than 16777216 bytes");
  }

  private String rendered() {
    return ChatTemplate.open(folder).orElseThrow().render(Chats.user("x")).text();
  }

  private String renderedWithTools() {
    ChatRequest request =
        new ChatRequest(
            List.of(Chats.message("user", "x")),
            Optional.of(Chats.json("[{\"function\": {}}]")),
            PromptEnd.LAST_MESSAGE);
    return ChatTemplate.open(folder).orElseThrow().render(request).text();
  }

  private void write(String name, String text) throws IOException {
    Files.writeString(folder.resolve(name), text, StandardCharsets.UTF_8);
  }
}
