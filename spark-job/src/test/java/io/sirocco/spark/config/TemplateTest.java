package io.sirocco.spark.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.sirocco.spark.config.Template.Literal;
import io.sirocco.spark.config.Template.Placeholder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TemplateTest {

  @Test
  void textAndColumnsAlternate() {
    assertThat(Template.parse("Subject: {subject}\n\n{my column}!").parts())
        .containsExactly(
            new Literal("Subject: "),
            new Placeholder("subject"),
            new Literal("\n\n"),
            new Placeholder("my column"),
            new Literal("!"));
  }

  @Test
  void doubledBracesAreBraces() {
    assertThat(Template.parse("{{\"a\": {{{a}}}}}").parts())
        .containsExactly(new Literal("{\"a\": {"), new Placeholder("a"), new Literal("}}"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "no column | at least one {column}",
        "{{a}} | at least one {column}",
        "{a | character 1 of",
        "x {} | character 3 of",
        "x { } | character 3 of",
        "{a} } | character 5 of",
        "{a{b} | character 1 of"
      })
  void mistakesAreNamed(String text, String message) {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> Template.parse(text))
        .withMessageStartingWith("input.template")
        .withMessageContaining(message);
  }
}
