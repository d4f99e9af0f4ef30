package io.sirocco.spark.store;

import io.sirocco.checkpoint.ModelException;
import java.io.IOException;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;

/**
 * A remote model at one moment: where it is and what its files are.
 *
 * @param source URI of the folder
 * @param files all that belong to the model, by name; others of the folder are not fetched
 */
public record ModelManifest(String source, List<ModelFile> files) implements Serializable {

  public ModelManifest {
    Objects.requireNonNull(source, "source");
    files = List.copyOf(files);
    Set<String> names = new HashSet<>();
    for (ModelFile file : files) {
      if (!names.add(file.name())) {
        throw new ModelException(source, "has the file " + file.name() + " twice");
      }
    }
  }

  /**
   * Asks the file system of {@code uri}; reads the index of the shards and SHA256SUMS, where they
   * are, and nothing else.
   *
   * @throws ModelException if the folder cannot be asked, or holds no model
   */
  public static ModelManifest of(String uri, Configuration hadoop) {
    try (RemoteModel remote = RemoteModel.open(uri, hadoop)) {
      return new ManifestReader(remote).read();
    } catch (IOException e) {
      throw new ModelException(uri, "cannot be read: " + e, e);
    }
  }

  /**
   * As {@link #of}, of an adapter's folder.
   *
   * @throws ModelException if the folder cannot be asked, or holds no adapter
   */
  public static ModelManifest ofAdapter(String uri, Configuration hadoop) {
    try (RemoteModel remote = RemoteModel.open(uri, hadoop)) {
      return new ManifestReader(remote).readAdapter();
    } catch (IOException e) {
      throw new ModelException(uri, "cannot be read: " + e, e);
    }
  }

  /**
   * Names this state of the model: SHA-256 over the source, and each file's name, size and
   * checksums, or time of modification where its file system has no checksum.
   */
  public String contentId() {
    MessageDigest digest = Digests.sha256();
    add(digest, source);
    for (ModelFile file : files) {
      add(digest, file.name());
      add(digest, Long.toString(file.size()));
      add(digest, file.hasChecksum() ? file.checksum() : "modified:" + file.modified());
      add(digest, file.sha256());
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** Of all files. */
  public long bytes() {
    return files.stream().mapToLong(ModelFile::size).reduce(0, Math::addExact);
  }

  /** With its length before it, so that no two sequences of fields are the same bytes. */
  private static void add(MessageDigest digest, String field) {
    byte[] bytes = field.getBytes(StandardCharsets.UTF_8);
    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).flip());
    digest.update(bytes);
  }
}
