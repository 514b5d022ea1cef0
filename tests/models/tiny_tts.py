"""Tiny synthesisers with random weights, in folders as on the hub: they speak noise, but in real formats."""

import json
import math
from pathlib import Path

import numpy as np
import sentencepiece
import torch
from torchaudio.models import Tacotron2, WaveRNN
from transformers import (
    BarkCoarseConfig,
    BarkConfig,
    BarkFineConfig,
    BarkModel,
    BarkSemanticConfig,
    BertTokenizer,
    EncodecConfig,
    FastSpeech2ConformerConfig,
    FastSpeech2ConformerHifiGanConfig,
    FastSpeech2ConformerModel,
    FastSpeech2ConformerWithHifiGan,
    FastSpeech2ConformerWithHifiGanConfig,
    GenerationConfig,
    SpeechT5Config,
    SpeechT5FeatureExtractor,
    SpeechT5ForSpeechToSpeech,
    SpeechT5ForTextToSpeech,
    SpeechT5HifiGan,
    SpeechT5HifiGanConfig,
    SpeechT5Tokenizer,
    VitsConfig,
    VitsModel,
    VitsTokenizer,
    Wav2Vec2FeatureExtractor,
    WavLMConfig,
    WavLMForXVector,
    WavLMModel,
)
from transformers.models.bark.generation_configuration_bark import (
    BarkCoarseGenerationConfig,
    BarkFineGenerationConfig,
    BarkSemanticGenerationConfig,
)

from audiocli.verbs.speak import phonemes, vocoders

torch.set_num_threads(1)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
SIZE = 512  # of a speaker vector


def speecht5_tokenizer(folder: Path) -> SpeechT5Tokenizer:
    """Characters, as the real one has them; trained on a line that holds each of them."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = f"{LETTERS}{LETTERS.upper()}.,'?!-"
    lines = [" ".join(letters), letters, "the quick brown fox"]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_prefix=str(folder / "spm_char"), model_type="char", vocab_size=63,
        hard_vocab_limit=False, bos_id=0, pad_id=1, eos_id=2, unk_id=3, minloglevel=3,
    )  # fmt: skip
    (folder / "spm_char.vocab").unlink()
    return SpeechT5Tokenizer(str(folder / "spm_char.model"))


def speecht5_config(**more) -> SpeechT5Config:
    small = {
        "hidden_size": 64, "encoder_layers": 2, "encoder_attention_heads": 4, "encoder_ffn_dim": 128,
        "decoder_layers": 2, "decoder_attention_heads": 4, "decoder_ffn_dim": 128, "speech_decoder_prenet_units": 32,
        "speech_decoder_postnet_units": 32, "speech_decoder_postnet_layers": 2, "speaker_embedding_dim": SIZE,
    }  # fmt: skip
    return SpeechT5Config(**(small | more))


def _talkative(model: SpeechT5ForTextToSpeech | SpeechT5ForSpeechToSpeech) -> None:
    """Weights with which its output depends on its input, and it does not stop at once."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 2:
                parameter.mul_(4.0)
        model.speech_decoder_postnet.prob_out.bias.fill_(-1.5)


def voice(folder: Path, seed: int = 0) -> Path:
    """A file with a speaker vector."""
    path = folder / f"voice-{seed}.npy"
    np.save(path, np.random.default_rng(seed).standard_normal(SIZE).astype(np.float32))
    return path


def hifigan(folder: Path) -> Path:
    """A vocoder of 256 samples a frame."""
    net = SpeechT5HifiGan(
        SpeechT5HifiGanConfig(upsample_initial_channel=16, resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1, 3]])
    )
    _louder(net)
    net.save_pretrained(folder)
    return folder


def _louder(net: torch.nn.Module) -> None:
    """Weights with which a vocoder of random numbers is audible."""
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_(0.0, 0.1)


def speecht5(folder: Path) -> Path:
    torch.manual_seed(1)
    tokenizer = speecht5_tokenizer(folder)
    model = SpeechT5ForTextToSpeech(speecht5_config(vocab_size=len(tokenizer)))
    _talkative(model)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    hifigan(folder / "vocoder")
    return folder


def speecht5_vc(folder: Path) -> Path:
    torch.manual_seed(1)
    convolutions = {"conv_dim": [16] * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4}
    model = SpeechT5ForSpeechToSpeech(speecht5_config(**convolutions))
    _talkative(model)
    model.save_pretrained(folder)
    SpeechT5FeatureExtractor().save_pretrained(folder)
    hifigan(folder / "vocoder")
    return folder


def xvector(folder: Path) -> Path:
    """A speaker encoder whose vectors are as long as SpeechT5 wants them."""
    torch.manual_seed(1)
    config = WavLMConfig(
        **small_wavlm(), num_hidden_layers=1, tdnn_dim=[16] * 5, tdnn_kernel=[5, 3, 3, 1, 1], tdnn_dilation=[1, 2, 3, 1, 1],
        xvector_output_dim=SIZE,
    )  # fmt: skip
    WavLMForXVector(config).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
    return folder


def knn(folder: Path, *, stable: bool = True) -> Path:
    """A WavLM of more layers than are heard, and a HiFi-GAN for its frames of 320 samples."""
    torch.manual_seed(1)
    shape = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True} if stable else {}
    WavLMModel(WavLMConfig(**small_wavlm(), **shape, num_hidden_layers=8)).save_pretrained(folder)
    net = SpeechT5HifiGan(
        SpeechT5HifiGanConfig(
            model_in_dim=32, upsample_initial_channel=32, upsample_rates=[10, 8, 2, 2], upsample_kernel_sizes=[20, 16, 4, 4],
            resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1, 3]], normalize_before=False,
        )
    )  # fmt: skip
    _louder(net)
    net.save_pretrained(folder / "vocoder")
    return folder


def small_wavlm() -> dict[str, object]:
    return {
        "hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 32, "conv_dim": [16] * 7,
        "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4,
    }  # fmt: skip


def vits(folder: Path, speakers: int = 1, *, phonemes: bool = False) -> Path:
    torch.manual_seed(1)
    folder.mkdir(parents=True, exist_ok=True)
    letters = "_" + (" ˈˌːabcdefhijklmnoprstuvwzæðŋɐɑɔəɚɛɜɡɪɹɾʃʊʌʒθ.,!?" if phonemes else f" {LETTERS}'-")
    (folder / "vocab.json").write_text(json.dumps({letter: n for n, letter in enumerate(letters)}))
    tokenizer = VitsTokenizer(
        str(folder / "vocab.json"), pad_token="_", unk_token="_", language="eng", phonemize=phonemes, normalize=True
    )
    config = VitsConfig(
        vocab_size=len(letters), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, ffn_dim=64, flow_size=32,
        spectrogram_bins=33, prior_encoder_num_flows=2, posterior_encoder_num_wavenet_layers=2, upsample_initial_channel=32,
        upsample_rates=[8, 8, 4], upsample_kernel_sizes=[16, 16, 8], resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1, 3]],
        num_speakers=speakers, speaker_embedding_size=16 if speakers > 1 else 0, duration_predictor_num_flows=2,
        depth_separable_num_layers=2, prior_encoder_num_wavenet_layers=2,
    )  # fmt: skip
    VitsModel(config).eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


PHONES = [
    "<blank>",
    "<unk>",
    *"AH0 N T D S R L K Z IH0 M EH1 W P AE1 HH B F AY1 G V DH IY1 ER0 UW1 AO1 OW0 OW1".split(),
    ".",
    ",",
    "<sos/eos>",
]


def fastspeech2(folder: Path, *, together: bool = True) -> Path:
    torch.manual_seed(1)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({phone: n for n, phone in enumerate(PHONES)}))
    model = FastSpeech2ConformerConfig(
        vocab_size=len(PHONES), hidden_size=32, encoder_layers=2, decoder_layers=2, encoder_linear_units=64,
        decoder_linear_units=64, speech_decoder_postnet_units=16, speech_decoder_postnet_layers=2,
        duration_predictor_channels=16, pitch_predictor_channels=16, energy_predictor_channels=16,
        encoder_num_attention_heads=2, decoder_num_attention_heads=2,
    )  # fmt: skip
    vocoder = FastSpeech2ConformerHifiGanConfig(
        upsample_initial_channel=16, resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1, 3]]
    )
    both = FastSpeech2ConformerWithHifiGan(
        FastSpeech2ConformerWithHifiGanConfig(model_config=model.to_dict(), vocoder_config=vocoder.to_dict())
    ).eval()
    with torch.no_grad():
        both.model.duration_predictor.linear.bias.fill_(1.6)
        _louder(both.vocoder)
    if together:
        both.save_pretrained(folder)
    else:
        both.model.save_pretrained(folder)
        both.vocoder.save_pretrained(folder / "vocoder")
    return folder


def bark(folder: Path) -> Path:
    torch.manual_seed(1)
    folder.mkdir(parents=True, exist_ok=True)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{letter}" for letter in LETTERS), ".", ","]
    (folder / "vocab.txt").write_text("\n".join(words))
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    small = {"num_layers": 2, "num_heads": 2, "hidden_size": 32, "block_size": 1024, "dropout": 0.0}
    config = BarkConfig(
        semantic_config=BarkSemanticConfig(**small, input_vocab_size=129_600, output_vocab_size=10_048).to_dict(),
        coarse_acoustics_config=BarkCoarseConfig(**small, input_vocab_size=12_096, output_vocab_size=12_096).to_dict(),
        fine_acoustics_config=BarkFineConfig(
            **small, input_vocab_size=1_056, output_vocab_size=1_056, n_codes_total=8, n_codes_given=1
        ).to_dict(),
        codec_config=EncodecConfig(
            num_filters=4, hidden_size=32, codebook_dim=32, num_lstm_layers=1, target_bandwidths=[6.0]
        ).to_dict(),
    )  # fmt: skip
    model = BarkModel(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 2:
                parameter.mul_(4.0)
        for layer in model.codec_model.quantizer.layers:
            layer.codebook.embed.normal_(0.0, 0.1)  # fresh ones are zeros, and then every code sounds the same
    parts = {
        "semantic_config": BarkSemanticGenerationConfig(max_new_tokens=8, do_sample=True, semantic_rate_hz=49.9),
        "coarse_acoustics_config": BarkCoarseGenerationConfig(
            do_sample=True, max_coarse_history=60, sliding_window_len=60
        ),
        "fine_acoustics_config": BarkFineGenerationConfig(),
    }
    model.generation_config = GenerationConfig(
        **{name: part.to_dict() for name, part in parts.items()}, codebook_size=1024, sample_rate=24_000
    )
    model.save_pretrained(folder)
    return folder


def tacotron2(folder: Path) -> Path:
    """With random weights, and a WaveRNN beside it; it never finds its end, and stops at the most that it may."""
    torch.manual_seed(1)
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {
        "tacotron2": {
            "symbol_embedding_dim": 32, "encoder_embedding_dim": 32, "decoder_rnn_dim": 32, "decoder_max_step": 20,
            "attention_rnn_dim": 32, "attention_hidden_dim": 16, "prenet_dim": 16, "postnet_embedding_dim": 16,
        },
        "wavernn": {"n_res_block": 1, "n_rnn": 16, "n_fc": 16, "n_hidden": 16, "n_output": 16},
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps({"model_type": "tacotron2", **sizes}))
    torch.save(Tacotron2(n_symbol=38, **sizes["tacotron2"]).state_dict(), folder / "tacotron2_tiny.pth")
    rest = {"upsample_scales": [5, 5, 11], "n_classes": 256, "hop_length": 275, "n_freq": 80, "kernel_size": 5}
    torch.save(WaveRNN(**rest, **sizes["wavernn"]).state_dict(), folder / "wavernn_tiny.pth")
    return folder


# Two sentences of ../shared/data/kathleen, which pocketsphinx understands even after Griffin-Lim.
KNOWN = {
    "arctic_a0031_1592747851.opus": "They were three hundred yards apart.",
    "arctic_a0060_1592747155.opus": "Anyway, no one saw her like that.",
}
STEPS, SETTLED, SPEED = 700, 400, 2e-3  # after SETTLED steps the batch norms stay as they are


def log_mel(samples: np.ndarray, scale: vocoders.MelScale) -> np.ndarray:
    """The input of a vocoder, [frames, n_mels], for samples [n]."""
    bank = vocoders.mels.filterbank(
        scale.sample_rate, scale.n_fft, scale.n_mels, scale.fmin, scale.fmax, scale=scale.scale, norm=scale.norm
    )
    window = np.hanning(scale.n_fft + 1)[:-1]
    padded = np.pad(samples, scale.n_fft // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, scale.n_fft)[:: scale.hop_length] * window
    return np.log10(np.maximum(np.abs(np.fft.rfft(frames)) @ bank.T, 1e-10)).astype(np.float32)


def trained_fastspeech2(folder: Path, known: dict[str, np.ndarray]) -> Path:
    """A FastSpeech2 that knows how these texts sound (log-mel [frames, 80] each), every phone as long as the next."""
    torch.manual_seed(1)
    folder.mkdir(parents=True, exist_ok=True)
    said = {text: phonemes.arpabet(text) for text in known}
    names = ["<blank>", "<unk>", *sorted({phone for phones in said.values() for phone in phones}), "<sos/eos>"]
    (folder / "vocab.json").write_text(json.dumps({name: n for n, name in enumerate(names)}))
    config = FastSpeech2ConformerConfig(
        vocab_size=len(names), hidden_size=96, encoder_layers=2, decoder_layers=2, encoder_linear_units=192,
        decoder_linear_units=192, speech_decoder_postnet_units=64, speech_decoder_postnet_layers=2,
        duration_predictor_channels=64, pitch_predictor_channels=32, energy_predictor_channels=32,
    )  # fmt: skip
    for name in config.to_dict():
        if "dropout" in name:
            setattr(config, name, 0.0)
    model = FastSpeech2ConformerModel(config)
    examples = [_example(said[text], names, mel) for text, mel in known.items()]
    optimizer = torch.optim.AdamW(model.parameters(), lr=SPEED, weight_decay=0.0)
    for step in range(STEPS):
        model.train()
        if step >= SETTLED:
            for module in model.modules():
                if isinstance(module, torch.nn.BatchNorm1d):
                    module.eval()
        for group in optimizer.param_groups:
            group["lr"] = SPEED * min(1.0, (step + 1) / 30) * 0.5 * (1 + math.cos(math.pi * step / STEPS))
        optimizer.zero_grad()
        model(**examples[step % len(examples)], return_dict=True).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    model.eval().save_pretrained(folder)
    return folder


def _example(phones: list[str], names: list[str], mel: np.ndarray) -> dict[str, torch.Tensor]:
    ids = [names.index(phone) for phone in phones] + [names.index("<sos/eos>")]
    ends = np.round(np.linspace(0, len(mel), len(ids) + 1)).astype(int)
    nothing = torch.zeros(1, len(ids), 1)
    return {
        "input_ids": torch.tensor([ids]), "attention_mask": torch.ones(1, len(ids), dtype=torch.long),
        "spectrogram_labels": torch.from_numpy(mel)[None], "duration_labels": torch.from_numpy(np.diff(ends))[None],
        "pitch_labels": nothing, "energy_labels": nothing,
    }  # fmt: skip
