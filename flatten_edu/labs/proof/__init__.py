"""The lab `proof`: what does Proposition 1 say, and what not?"""
