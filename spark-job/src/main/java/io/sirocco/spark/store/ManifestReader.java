package io.sirocco.spark.store;

import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.RawTokenizers;
import io.sirocco.checkpoint.SentenceFiles;
import io.sirocco.checkpoint.WeightFiles;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;

/** Finds the files that a model's folder consists of. */
record ManifestReader(RemoteModel remote) {
  private static final String CONFIG = "config.json";
  private static final long MAX_SUMS = 1L << 20;
  private static final int NAMES_SHOWN = 8;

  /** All that a row's results can depend on, besides the weights and {@link RawTokenizers}. */
  private static final Pattern SMALL_FILE =
      Pattern.compile(
          "config\\.json|generation_config\\.json|tokenizer[A-Za-z0-9._-]*\\.json"
              + "|special_tokens_map\\.json|chat_template\\.jinja");

  private static final Pattern TEMPLATE = Pattern.compile("[A-Za-z0-9._-]+\\.jinja");

  /**
   * @throws ModelException if the folder is not there, or holds no model
   */
  ModelManifest read() throws IOException {
    Map<String, FileStatus> listed = listed("a Hugging Face model's folder");
    boolean raw = isRaw(listed);
    if (!raw && !listed.containsKey(CONFIG)) {
      throw new ModelException(remote.where(CONFIG), "is missing; " + found(listed));
    }
    List<String> names =
        new ArrayList<>(listed.keySet().stream().filter(SMALL_FILE.asMatchPredicate()).toList());
    RawTokenizers.among(listed::containsKey).ifPresent(names::add);
    if (remote.hasFolder(ModelFile.TEMPLATES)) {
      remote.list(ModelFile.TEMPLATES).keySet().stream()
          .filter(TEMPLATE.asMatchPredicate())
          .forEach(name -> names.add(ModelFile.TEMPLATES + "/" + name));
    }
    names.addAll(sentenceFiles(listed));
    if (raw) {
      names.add(WeightFiles.RAW_PARAMS);
    }
    names.addAll(weights(listed, raw ? WeightFiles.rawPlaces() : WeightFiles.places()));
    return manifest(names, listed);
  }

  /**
   * The same of an adapter.
   *
   * @throws ModelException if the folder is not there, or holds no adapter
   */
  ModelManifest readAdapter() throws IOException {
    Map<String, FileStatus> listed = listed("the folder of a LoRA adapter");
    if (!listed.containsKey(WeightFiles.ADAPTER_CONFIG)) {
      throw new ModelException(
          remote.where(WeightFiles.ADAPTER_CONFIG), "is missing; " + found(listed));
    }
    List<String> names = new ArrayList<>(List.of(WeightFiles.ADAPTER_CONFIG));
    names.addAll(weights(listed, WeightFiles.adapterPlaces()));
    return manifest(names, listed);
  }

  private Map<String, FileStatus> listed(String expected) throws IOException {
    try {
      return remote.list("");
    } catch (FileNotFoundException e) {
      throw new ModelException(remote.uri(), "does not exist; expected " + expected, e);
    }
  }

  private ModelManifest manifest(List<String> names, Map<String, FileStatus> listed)
      throws IOException {
    Map<String, String> digests = digests(listed);
    List<ModelFile> files = new ArrayList<>();
    for (String name : names.stream().sorted().toList()) {
      ModelFile file = remote.find(name).orElseThrow(() -> deleted(name));
      files.add(file.withSha256(digests.getOrDefault(name, "")));
    }
    return new ModelManifest(remote.uri(), files);
  }

  /** Of Mistral's own form, and not of Hugging Face's as well, which would come first. */
  private static boolean isRaw(Map<String, FileStatus> listed) {
    return listed.containsKey(WeightFiles.RAW_PARAMS)
        && WeightFiles.rawPlaces().stream().anyMatch(listed::containsKey)
        && WeightFiles.places().stream().noneMatch(listed::containsKey);
  }

  /** What says how the model embeds, if it was made for that. */
  private List<String> sentenceFiles(Map<String, FileStatus> listed) throws IOException {
    List<String> counting = SentenceFiles.countingWhere(listed::containsKey);
    List<String> names = new ArrayList<>(counting.stream().filter(listed::containsKey).toList());
    boolean pools =
        counting.contains(SentenceFiles.POOLING)
            && remote.hasFolder(SentenceFiles.POOLING_FOLDER)
            && remote.find(SentenceFiles.POOLING).isPresent();
    if (pools) {
      names.add(SentenceFiles.POOLING);
    }
    return names;
  }

  private List<String> weights(Map<String, FileStatus> listed, List<String> places)
      throws IOException {
    String first =
        places.stream()
            .filter(listed::containsKey)
            .findFirst()
            .orElseThrow(
                () ->
                    new ModelException(
                        remote.uri(),
                        "holds no weights; expected one of "
                            + String.join(", ", places)
                            + ", as transformers' save_pretrained writes them; "
                            + found(listed)));
    List<String> names = new ArrayList<>(List.of(first));
    if (WeightFiles.isIndex(first)) {
      for (String shard : shards(first, listed.get(first))) {
        if (!listed.containsKey(shard)) {
          throw new ModelException(
              remote.where(first), "places tensors in " + shard + ", which is missing");
        }
        names.add(shard);
      }
    }
    return names;
  }

  private List<String> shards(String name, FileStatus index) throws IOException {
    byte[] json = small(name, index.getLen(), WeightFiles.MAX_INDEX);
    Path copy = Files.createTempFile("sirocco-index-", ".json");
    try {
      Files.write(copy, json);
      return WeightFiles.shards(copy);
    } catch (ModelException e) {
      throw Messages.at(e, copy.toString(), remote.where(name));
    } finally {
      Files.deleteIfExists(copy);
    }
  }

  private Map<String, String> digests(Map<String, FileStatus> listed) throws IOException {
    FileStatus sums = listed.get(Sha256Sums.FILE);
    if (sums == null) {
      return Map.of();
    }
    byte[] text = small(Sha256Sums.FILE, sums.getLen(), MAX_SUMS);
    return Sha256Sums.parse(
        remote.where(Sha256Sums.FILE), new String(text, StandardCharsets.UTF_8));
  }

  private byte[] small(String name, long size, long most) throws IOException {
    if (size > most) {
      throw new ModelException(
          remote.where(name), "holds " + size + " bytes, expected at most " + most);
    }
    try (FSDataInputStream in = remote.open(name)) {
      return RemoteModel.read(in, remote.where(name), 0, Math.toIntExact(size));
    }
  }

  private ModelException deleted(String name) {
    return new ModelException(remote.where(name), "was deleted while the folder was listed");
  }

  private static String found(Map<String, FileStatus> listed) {
    List<String> names = listed.keySet().stream().limit(NAMES_SHOWN).toList();
    return "the folder's files are "
        + (names.isEmpty() ? "none" : String.join(", ", names))
        + (listed.size() > NAMES_SHOWN ? ", ..." : "");
  }
}
