package io.sirocco.template;

import com.fasterxml.jackson.databind.JsonNode;
import io.sirocco.checkpoint.ModelException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * A model's chat template, checked when it is opened: a conversation becomes the text that
 * transformers' {@code apply_chat_template} gives, or an error where that is one.
 *
 * <p>The language is the part of Jinja that Mistral's templates use, with trim_blocks and
 * lstrip_blocks; everything else is refused by name when the template is parsed. Immutable; safe
 * for any number of threads.
 */
public final class ChatTemplate {
  private final Variant standard;
  private final Optional<Variant> forTools;
  private final Map<String, String> specialTokens;
  private final Limits limits;

  /** One template of a model that may have two. */
  record Variant(String where, String source, Parser.Program program) {
    static Variant parse(String where, String source) {
      return new Variant(where, source, Parser.parse(Source.of(where, source)));
    }
  }

  ChatTemplate(
      Variant standard,
      Optional<Variant> forTools,
      Map<String, String> specialTokens,
      Limits limits) {
    this.standard = standard;
    this.forTools = forTools;
    this.specialTokens = Map.copyOf(specialTokens);
    this.limits = limits;
  }

  /**
   * Parses a template.
   *
   * @param specialTokens texts of the special tokens by the names templates have for them, such as
   *     {@code bos_token}
   * @param where names the source in errors
   * @throws ModelException if it is no Jinja, or uses what is not known here, with line and column
   */
  public static ChatTemplate parse(String source, Map<String, String> specialTokens, String where) {
    return parse(source, specialTokens, where, Limits.DEFAULT);
  }

  static ChatTemplate parse(
      String source, Map<String, String> specialTokens, String where, Limits limits) {
    return new ChatTemplate(Variant.parse(where, source), Optional.empty(), specialTokens, limits);
  }

  /**
   * Opens the chat template of a model folder: chat_template.jinja, or else that of
   * tokenizer_config.json. Special tokens are those of tokenizer_config.json, or else of
   * special_tokens_map.json. Where there is no template and no tokenizer.json either, it is the one
   * that the generation of the folder's tekken.json or tokenizer.model implies. Empty if the model
   * has no chat template.
   *
   * @throws ModelException if a file cannot be used, the template is refused, or it names a special
   *     token that no file mentions
   */
  public static Optional<ChatTemplate> open(Path modelFolder) {
    return TemplateFiles.open(modelFolder);
  }

  /**
   * Renders a conversation.
   *
   * @throws TemplateException if the template raises an error or fails, the request cannot be
   *     rendered, or a limit is exceeded
   */
  public RenderedPrompt render(ChatRequest request) {
    Variant variant = request.tools().isPresent() ? forTools.orElse(standard) : standard;
    Run run = new Run(variant.where(), limits);
    check(request, variant, run);
    Value.ListValue messages = Values.of(request.messages(), run);
    Text text;
    if (request.end() == PromptEnd.CONTINUE_FINAL_MESSAGE) {
      Continuation continuation = Continuation.of(messages, run);
      execute(variant, continuation.messages(), request, run);
      text = continuation.cut(run.output().toText(), run);
    } else {
      execute(variant, messages, request, run);
      text = run.output().toText();
    }
    return new RenderedPrompt(text.string(), text.fromRequest());
  }

  private static void check(ChatRequest request, Variant variant, Run run) {
    if (request.messages().isEmpty()) {
      throw run.badRequest("the conversation is empty, expected at least one message");
    }
    if (request.tools().isPresent()) {
      JsonNode tools = request.tools().get();
      boolean allObjects = tools.isArray();
      for (JsonNode tool : tools) {
        allObjects &= tool.isObject();
      }
      if (!allObjects) {
        throw run.badRequest("the tools are not an array of objects");
      }
    }
    boolean continues = request.end() == PromptEnd.CONTINUE_FINAL_MESSAGE;
    if (continues && !variant.source().contains("content")) {
      throw run.badRequest("the final message cannot be continued: the template has no content");
    }
  }

  private void execute(Variant variant, Value.ListValue messages, ChatRequest request, Run run) {
    Scope scope = Scope.outermost(run);
    specialTokens.forEach((name, text) -> scope.set(name, Text.of(text, Origin.TEMPLATE)));
    boolean prompts = request.end() == PromptEnd.GENERATION_PROMPT;
    scope.set("add_generation_prompt", new Value.Bool(Truth.when(prompts), Origin.TEMPLATE));
    scope.set("documents", new Value.None(Origin.TEMPLATE));
    scope.set("messages", messages);
    scope.set(
        "tools",
        request
            .tools()
            .map(tools -> Values.of(tools, run))
            .orElseGet(() -> new Value.None(Origin.TEMPLATE)));
    Statement.executeAll(variant.program().statements(), scope);
  }
}
