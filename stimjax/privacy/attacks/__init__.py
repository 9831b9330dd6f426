"""The attacks, one file each; `stimjax.privacy.audit` tries them all."""
