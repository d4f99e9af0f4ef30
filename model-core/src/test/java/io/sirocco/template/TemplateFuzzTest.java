package io.sirocco.template;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.checkpoint.ModelException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * Templates made at random from the parts of valid ones: each gives a prompt, a {@link
 * ModelException} or a {@link TemplateException}, soon.
 */
class TemplateFuzzTest {
  private static final long SEED = 20260714;
  private static final int TEMPLATES = 40_000;
  private static final Duration LONGEST = Duration.ofSeconds(1);

  /** Of this thread alone: the machine may be busy with other things. */
  private static final ThreadMXBean PROCESSOR = ManagementFactory.getThreadMXBean();

  private static final Pattern PART =
      Pattern.compile(
          "\\{%-?|-?%\\}|\\{\\{-?|-?\\}\\}|\\{#-?|-?#\\}|'[^']*'|\"[^\"]*\"|\\w+|\\s+|.",
          Pattern.DOTALL);
  private static final String OTHERS =
      "~ * < > [ ] ( ) { } , . | is not in + - % \" ' \\ == = and or 0 1 1.5 \u00e9 else {% %} {# #}"
          + " +%} {%+ loop range raise_exception namespace self if for endfor endif set true none"
          + " {{ }} :-1 99999999999 1e400 \ud83d \u2003 \u0000";

  private final Random random = new Random(SEED);
  private final List<List<String>> templates = new ArrayList<>();
  private final List<String> parts = new ArrayList<>(List.of(OTHERS.split(" ", -1)));
  private int prompts;
  private int refusals;
  private int errors;
  private Duration slowest = Duration.ZERO;

  @Test
  void everyOutcomeIsAPromptOrATypedError() throws IOException {
    System.out.println("seed " + SEED);
    Path cases = Path.of("src/test/resources/template/cases.json");
    for (JsonNode one : Chats.MAPPER.readTree(cases.toFile())) {
      List<String> template =
          PART.matcher(one.path("template").asText()).results().map(MatchResult::group).toList();
      templates.add(template);
      parts.addAll(template);
    }
    for (int i = 0; i < TEMPLATES; i++) {
      String source = random.nextInt(5) == 0 ? soup() : mutated();
      long began = PROCESSOR.getCurrentThreadCpuTime();
      attempt(source);
      Duration took = Duration.ofNanos(PROCESSOR.getCurrentThreadCpuTime() - began);
      slowest = took.compareTo(slowest) > 0 ? took : slowest;
      assertThat(took).as(source).isLessThan(LONGEST);
    }
    System.out.printf(
        "%d prompts, %d refused, %d errors; slowest %d ms%n",
        prompts, refusals, errors, slowest.toMillis());
    assertThat(prompts).isGreaterThan(TEMPLATES / 20);
    assertThat(refusals).isGreaterThan(TEMPLATES / 20);
    assertThat(errors).isGreaterThan(TEMPLATES / 100);
  }

  private void attempt(String source) {
    try {
      RenderedPrompt prompt = Chats.template(source).render(request());
      assertThat(prompt.fromData().length()).isLessThanOrEqualTo(prompt.text().length());
      prompts++;
    } catch (ModelException e) {
      assertThat(e).hasMessageContaining("test.jinja: chat template, line ");
      refusals++;
    } catch (TemplateException e) {
      assertThat(e.problem()).isNotNull();
      errors++;
    } catch (RuntimeException | Error e) {
      throw new AssertionError("template " + source, e);
    }
  }

  private String soup() {
    StringBuilder source = new StringBuilder();
    for (int i = random.nextInt(40); i >= 0; i--) {
      source.append(anyPart());
    }
    return source.toString();
  }

  /** One to three parts of a template replaced, put in, doubled or left out. */
  private String mutated() {
    List<String> template = new ArrayList<>(templates.get(random.nextInt(templates.size())));
    if (random.nextInt(4) == 0) {
      template.addAll(templates.get(random.nextInt(templates.size())));
    }
    for (int i = random.nextInt(3); i >= 0 && !template.isEmpty(); i--) {
      int at = random.nextInt(template.size());
      switch (random.nextInt(4)) {
        case 0 -> template.set(at, anyPart());
        case 1 -> template.add(at, anyPart());
        case 2 -> template.add(at, template.get(at));
        default -> template.remove(at);
      }
    }
    return String.join("", template);
  }

  private String anyPart() {
    return parts.get(random.nextInt(parts.size()));
  }

  private ChatRequest request() {
    List<JsonNode> messages = new ArrayList<>();
    for (int i = random.nextInt(4); i >= 0; i--) {
      ObjectNode message = Chats.MAPPER.createObjectNode();
      message.put("role", random.nextBoolean() ? "user" : "assistant");
      message.set("content", value(3));
      messages.add(random.nextInt(20) == 0 ? value(2) : message);
    }
    Optional<JsonNode> tools =
        random.nextInt(3) == 0
            ? Optional.of(Chats.MAPPER.createArrayNode().add(value(2)))
            : Optional.empty();
    PromptEnd[] ends = PromptEnd.values();
    return new ChatRequest(messages, tools, ends[random.nextInt(ends.length)]);
  }

  private JsonNode value(int depth) {
    var nodes = Chats.MAPPER.getNodeFactory();
    return switch (random.nextInt(depth > 0 ? 9 : 7)) {
      case 0 -> nodes.nullNode();
      case 1 -> nodes.booleanNode(random.nextBoolean());
      case 2 -> nodes.numberNode(random.nextLong() >> random.nextInt(64));
      case 3 -> nodes.numberNode(Double.longBitsToDouble(random.nextLong()));
      case 4, 5, 6 -> nodes.textNode(anyPart() + anyPart());
      case 7 -> nodes.arrayNode().add(value(depth - 1)).add(value(depth - 1));
      default -> nodes.objectNode().<ObjectNode>set(anyPart(), value(depth - 1));
    };
  }
}
